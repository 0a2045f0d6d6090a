//go:build unix

package main_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Each of the agent's own metrics in the alert rules and on the dashboard is one that it
// has, once Redis has been away.
func TestMetricsOfDeployment(t *testing.T) {
	server := redistest.Start(t)
	a := startAgent(t, "", "-redis-address", server.Addr)
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr)
	require.NoError(t, err)
	defer haproxy.Close()
	server.Kill()
	var text string
	recipes.Until(t, func() bool {
		_, err := haproxy.Ask(t.Context(), "rate-limit", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")))
		require.NoError(t, err)
		text = scrape(t, a)
		return strings.Contains(text, "\nratelimit_redis_gone 1\n") && strings.Contains(text, "ratelimit_redis_changes_total")
	}, func() string { return "the agent does not see that Redis is gone" })
	for _, file := range []string{"alerts.yaml", "grafana.json"} {
		b, err := os.ReadFile(filepath.Join("deploy", file))
		require.NoError(t, err)
		names := regexp.MustCompile(`\bratelimit_[a-z_]*[a-z]\b`).FindAllString(string(b), -1)
		assert.GreaterOrEqual(t, len(names), 4)
		for _, n := range names {
			assert.Regexp(t, `[\n,{]`+n+`[ ={]`, text, "%s has a metric that is not there: %s", file, n)
		}
	}
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	assert.Equal(t, "rate-limit: the configuration is good\n", printed(t, "-t", "-config", "deploy/agent.yaml"))
}

// systemd rates the unit: 10 is no protection at all, up to 2 is "OK".
func TestUnitIsHardened(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("NOT RUN: systemd-analyze is not installed")
		return
	}
	out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", "deploy/rate-limit.service").CombinedOutput()
	require.NoError(t, err, string(out))
	m := regexp.MustCompile(`Overall exposure level for rate-limit.service: ([\d.]+)`).FindSubmatch(out)
	require.NotNil(t, m, string(out))
	exposure, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	assert.Less(t, exposure, 2.0, string(out))
}
