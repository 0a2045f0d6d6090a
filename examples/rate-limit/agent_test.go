//go:build unix

package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if err := recipes.RemovePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// agent is the program, in a process of its own.
type agent struct {
	*recipes.Process
	config string // its -config
}

var (
	readyLine = regexp.MustCompile(`msg=ready addresses=\[([^\]\s]+)\]`)
	adminLine = regexp.MustCompile(`msg=admin address=(\S+)`)
)

// startAgent starts the program with a configuration, and returns when it is ready. A
// machine that is busy with other tests must not make it give up on Redis.
func startAgent(t *testing.T, config string, args ...string) *agent {
	t.Helper()
	file := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	args = append([]string{"-config", file, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0",
		"-timeout", "10s", "-redis-deadline", "1s"}, args...)
	return &agent{recipes.StartProgram(t, recipes.Module(t, "examples/rate-limit"), readyLine, args...), file}
}

// printed is HAProxy's configuration as the program prints it.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	return recipes.Output(t, recipes.Module(t, "examples/rate-limit"), ".", args...)
}

// startHAProxy starts HAProxy with the files beside this one, but for spoe.conf, which
// the first agent's configuration decides, and returns when each of its agents is up.
// oldnew are texts of haproxy.cfg and their replacements.
func startHAProxy(t *testing.T, bin haproxytest.Binary, agents []*agent, oldnew ...string) *haproxytest.HAProxy {
	t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the site") }))
	t.Cleanup(origin.Close)
	backend := haproxytest.ReadConfig(t, "agents.cfg", "inter 1s", "inter 100ms")
	for i, a := range agents[1:] {
		backend += fmt.Sprintf("    server agent%d %s\n", i+2, a.Addr)
	}
	h := haproxytest.Start(t, bin, haproxytest.Config{
		Config: haproxytest.ReadConfig(t, "haproxy.cfg", oldnew...),
		Files:  map[string]string{"spoe.conf": printed(t, "-config", agents[0].config, "-timeout", "10s", "-print-config=spoe"), "agents.cfg": backend},
		Args:   []string{"-f", "agents.cfg"},
		Env: []string{`RATELIMIT_FRONTEND={{addr "http"}}`,
			"RATELIMIT_ORIGIN=" + strings.TrimPrefix(origin.URL, "http://"), "RATELIMIT_AGENT=" + agents[0].Addr},
	})
	recipes.Until(t, func() bool { return strings.Count(h.Command("show stat"), ",L7OK,") == len(agents) },
		func() string { return "HAProxy's health checks do not find the agents" })
	return h
}

// fromEnvironment returns a number that make sets for the long form of a test.
func fromEnvironment(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
