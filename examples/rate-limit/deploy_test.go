//go:build unix

package main_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Each of the agent's own metrics in the alert rules and on the dashboard is one that it
// has, once Redis was away.
func TestMetricsOfDeployment(t *testing.T) {
	server := redistest.Start(t)
	a := startAgent(t, "", "-redis-address", server.Addr)
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr)
	require.NoError(t, err)
	defer haproxy.Close()
	servicetest.Refuse(t, a.Addr)
	server.Kill()
	var text string
	recipes.Until(t, func() bool {
		_, err := haproxy.Ask(t.Context(), "rate-limit", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")))
		require.NoError(t, err)
		text = scrape(t, a)
		return strings.Contains(text, "\nratelimit_redis_gone 1\n") && strings.Contains(text, "ratelimit_redis_changes_total")
	}, func() string { return "the agent does not see that Redis is gone" })
	servicetest.CheckMetrics(t, text, "ratelimit_", []string{"deploy/alerts.yaml", "deploy/grafana.json"}, "ratelimit_source", "ratelimit_limit", "ratelimit_outcome")
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	assert.Equal(t, "rate-limit: the configuration is good\n", printed(t, "-t", "-config", "deploy/agent.yaml"))
}

func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/rate-limit.service") }
