package main_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMetricsOfDeployment: each of the agent's own metrics in the alert rules and on the
// dashboard is one that it has.
func TestMetricsOfDeployment(t *testing.T) {
	w := newWorld(t, newest(t))
	admin := startAgent(t, settings(w.server.URL), "-admin-listen", "127.0.0.1:0")
	admin.waitProvider(t)
	assert.Equal(t, "login", admin.ask(t, question{}).Str("txn.decision"))
	assert.Equal(t, 400, pageOf(t, admin, "/.sso/callback/main"))
	resp, err := http.Get("http://" + admin.log.wait(t, regexp.MustCompile(`msg=admin address=(\S+)`))[1] + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	for _, file := range []string{"alerts.yaml", "grafana.json"} {
		b, err := os.ReadFile(filepath.Join("deploy", file))
		require.NoError(t, err)
		names := regexp.MustCompile(`\bsso_[a-z_]*[a-z]\b`).FindAllString(string(b), -1)
		assert.GreaterOrEqual(t, len(names), 4)
		for _, n := range names {
			assert.Regexp(t, `[\n,{]`+n+`[ ={]`, string(text), "%s has a metric that is not there: %s", file, n)
		}
	}
}

// TestSettingsOfDeployment: the settings are good, but for secrets that are not there.
func TestSettingsOfDeployment(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"key", "client-secret"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(key), 0o600))
	}
	b, err := os.ReadFile("deploy/agent.yaml")
	require.NoError(t, err)
	file := filepath.Join(dir, "agent.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(b), "file:/etc/sso/", "file:"+dir+"/")), 0o600))
	_, out := once(t, "-t", "-config", file)
	assert.Contains(t, out, "sso: the configuration is good\n")
}

// TestUnitIsHardened: systemd rates the unit; 10 is no protection, and up to 2 is "OK".
func TestUnitIsHardened(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("NOT RUN: systemd-analyze is not installed")
		return
	}
	out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", "deploy/sso.service").CombinedOutput()
	require.NoError(t, err, string(out))
	m := regexp.MustCompile(`Overall exposure level for sso.service: ([\d.]+)`).FindSubmatch(out)
	require.NotNil(t, m, string(out))
	exposure, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	assert.Less(t, exposure, 2.0, string(out))
}

// TestWrongSettings: each mistake is told with what to write.
func TestWrongSettings(t *testing.T) {
	good := settings("https://id.example.com")
	for want, oldnew := range map[string][2]string{
		"keys: key 1 has 5 bytes: write 32 random ones or more": {key, "short"},
		`"none" is unknown: write RS256`:                        {"introspect: true", "algorithms: [none]"},
		`"HS256" is unknown: write RS256`:                       {"introspect: true", "algorithms: [HS256]"},
		`sites[0].provider: "mian" is none of providers`:        {"hosts: [wiki.localhost]\n    provider: main", "hosts: [wiki.localhost]\n    provider: mian"},
		"needs a provider with audiences":                       {"audiences: [sso], ", ""},
		`"/public/../" is no plain path`:                        {"/public/", "/public/../"},
		`"allow" does not look at groups and claims`:            {"/healthz], do: allow", "/healthz], groups: [x], do: allow"},
		`"WIKI.localhost" is there twice, or no host name`:      {"wiki.localhost", "WIKI.localhost"},
		`"id.example.com" is no URL: write https://`:            {"https://id.example.com", "id.example.com"},
		"needs ldap.url": {"bearer: true", "basic: true"},
		"is unknown":     {"bearer: true", "baerer: true"},
	} {
		require.Contains(t, good, oldnew[0])
		file := filepath.Join(t.TempDir(), "agent.yaml")
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(good, oldnew[0], oldnew[1], 1)), 0o600))
		status, out := once(t, "-t", "-config", file)
		assert.Equal(t, 2, status, out)
		assert.Contains(t, out, want)
		assert.NotContains(t, out, key)
	}
}
