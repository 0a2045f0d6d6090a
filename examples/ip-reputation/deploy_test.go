package main_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Every metric of the alert rules and of the dashboard is one that the program has.
func TestMetricsOfDeployment(t *testing.T) {
	a := startProgram(t, nil)
	ask(t, a, 1, spoetest.Arg("traceparent", traceparent))
	// Disconnects are counted by their reason, from the first on.
	stranger, err := net.Dial("tcp", a.addr)
	require.NoError(t, err)
	defer stranger.Close()
	_, err = stranger.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	require.NoError(t, err)
	_, err = io.ReadAll(stranger)
	require.NoError(t, err)
	text := scrape(t, a, "spop_server_acks_total 1")
	name := regexp.MustCompile(`\b(?:spop|rpc|iprep|spoke|process|go)_[a-z_]*[a-z]\b`)
	label := regexp.MustCompile(`^(?:iprep_list|rpc_method|spop_side|spop_status|spoke_config_result)$`)
	for _, file := range []string{"alerts.yaml", "grafana.json"} {
		b, err := os.ReadFile(filepath.Join("deploy", file))
		require.NoError(t, err)
		names := name.FindAllString(string(b), -1)
		assert.Greater(t, len(names), 5)
		for _, n := range names {
			if !label.MatchString(n) {
				assert.Regexp(t, `(?m)^`+n+`[{ ]`, text, "%s has a metric that is not there: %s", file, n)
			}
		}
	}
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	status, _, stderr := once(t, "-t", "-config", "deploy/agent.yaml")
	assert.Zero(t, status, stderr)
}

// systemd rates the unit: 10 is no protection at all, up to 2 is "OK".
func TestUnitIsHardened(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("NOT RUN: systemd-analyze is not installed")
		return
	}
	out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", "deploy/ip-reputation.service").CombinedOutput()
	require.NoError(t, err, string(out))
	m := regexp.MustCompile(`Overall exposure level for ip-reputation.service: ([\d.]+)`).FindSubmatch(out)
	require.NotNil(t, m, string(out))
	exposure, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	assert.Less(t, exposure, 2.0, string(out))
}
