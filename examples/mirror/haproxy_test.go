package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/mirror"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// shipped is the configuration beside this file, but for addresses and the interval of
// health checks, with a bind line for HTTP/2, and with more time for the agent: a machine
// that is busy with other tests must not make HAProxy give up.
func shipped(t *testing.T, agentAddr, originAddr string) haproxytest.Config {
	t.Helper()
	const bind = `bind "${MIRROR_FRONTEND}"`
	return haproxytest.Config{
		Config: haproxytest.ReadConfig(t, "haproxy.cfg", bind, bind+"\n    bind {{addr \"h2\"}} proto h2"),
		Files: map[string]string{
			"spoe.conf":  haproxytest.ReadConfig(t, "spoe.conf", "timeout processing 100ms", "timeout processing 10s"),
			"agents.cfg": haproxytest.ReadConfig(t, "agents.cfg", "inter 1s", "inter 100ms"),
		},
		Args: []string{"-f", "agents.cfg"},
		Env: []string{
			`MIRROR_FRONTEND={{addr "http"}}`,
			"MIRROR_ORIGIN=" + originAddr,
			"MIRROR_AGENT=" + agentAddr,
		},
	}
}

// startHAProxy starts HAProxy with the shipped configuration, and returns when it has
// found the agent.
func startHAProxy(t *testing.T, bin haproxytest.Binary, a *servicetest.Agent, origin *site) *haproxytest.HAProxy {
	t.Helper()
	h := haproxytest.Start(t, bin, shipped(t, a.Addr(t), origin.addr()))
	require.Eventually(t, func() bool {
		return strings.Contains(h.Command("show stat"), ",L7OK,")
	}, patience, 20*time.Millisecond, "HAProxy's health check of the agent")
	return h
}

// startAgent runs the program with time enough on a busy machine.
func startAgent(t *testing.T, flags ...string) *servicetest.Agent {
	t.Helper()
	return servicetest.Start(t, main.Agent(), append([]string{"-timeout", "5s", "-copy-timeout", "30s"}, flags...)...)
}

func TestConfigIsValid(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		warnings, err := haproxytest.Check(t, bin, shipped(t, "127.0.0.1:9000", "127.0.0.1:8081"))
		require.NoError(t, err)
		assert.Empty(t, warnings)
	})
}

func TestFiles(t *testing.T) { servicetest.CheckFiles(t, main.Agent()) }
