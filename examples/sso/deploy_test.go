package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/sso"
	"github.com/spoke-go/spoke/service/servicetest"
)

// TestMetricsOfDeployment: each of the metrics in the alert rules and on the dashboard is
// one that the agent has.
func TestMetricsOfDeployment(t *testing.T) {
	w := newWorld(t, newest(t))
	a := startAgent(t, settings(w.server.URL), "-admin-listen", "127.0.0.1:0")
	a.waitProvider(t)
	assert.Equal(t, "login", a.ask(t, question{}).Str("txn.decision"))
	assert.Equal(t, 400, pageOf(t, a, "/.sso/callback/main"))
	a.Refuse(t)
	servicetest.CheckMetrics(t, a.Scrape(t), "sso_", []string{"deploy/alerts.yaml", "deploy/grafana.json"},
		"sso_provider", "sso_ok", "sso_reason", "sso_decision")
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
	_, out, _ := servicetest.Once(t, main.Agent(time.Now), nil, "-t", "-config", file)
	assert.Contains(t, out, "sso: the configuration is good\n")
}

// TestUnitIsHardened: systemd rates the unit as OK.
func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/sso.service") }

// TestWrongSettings: the message about each mistake says how to mend it.
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
		`"WIKI.localhost" is no host name in lower case`:        {"wiki.localhost", "WIKI.localhost"},
		`"id.example.com" is no URL: write https://`:            {"https://id.example.com", "id.example.com"},
		"needs ldap.url": {"bearer: true", "basic: true"},
		"is unknown":     {"bearer: true", "baerer: true"},
	} {
		require.Contains(t, good, oldnew[0])
		file := filepath.Join(t.TempDir(), "agent.yaml")
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(good, oldnew[0], oldnew[1], 1)), 0o600))
		status, _, out := servicetest.Once(t, main.Agent(time.Now), nil, "-t", "-config", file)
		assert.Equal(t, 2, status, out)
		assert.Contains(t, out, want)
		assert.NotContains(t, out, key)
	}
}
