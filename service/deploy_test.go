package service_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
)

// deployed writes what -print-deploy prints into a file, and returns its path and text.
func deployed(t *testing.T, name, file string) (path, text string) {
	t.Helper()
	status, text, stderr := servicetest.Once(t, newAgent(), nil, "-print-deploy="+name)
	require.Zero(t, status, stderr)
	assert.NotContains(t, text, "AGENT")
	path = filepath.Join(t.TempDir(), file)
	servicetest.WriteFile(t, path, text)
	return path, text
}

func TestPrintDeploy(t *testing.T) {
	unit, _ := deployed(t, "unit", "test-agent.service")
	servicetest.CheckUnit(t, unit)
	_, text := deployed(t, "socket", "test-agent.socket")
	assert.Contains(t, text, "ListenStream=/run/test-agent.sock\n")
	_, text = deployed(t, "dockerfile", "Dockerfile")
	assert.Contains(t, text, `ENTRYPOINT ["/test-agent"]`)

	status, _, stderr := servicetest.Once(t, newAgent(), nil, "-print-deploy=x")
	assert.Equal(t, 2, status)
	assert.Equal(t, "test-agent: -print-deploy: \"x\" is unknown: write one of unit, socket, dockerfile, kubernetes, alerts, dashboard\n", stderr)
}

// The settings in the manifests are good.
func TestDeployKubernetes(t *testing.T) {
	_, text := deployed(t, "kubernetes", "kubernetes.yaml")
	_, settings, ok := strings.Cut(text, "agent.yaml: |\n")
	require.True(t, ok)
	settings, _, _ = strings.Cut(settings, "---\n")
	settings = strings.ReplaceAll(settings, "\n    ", "\n")
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	servicetest.WriteFile(t, token, "sesame")
	settings = strings.ReplaceAll(strings.TrimPrefix(settings, "    "), "/etc/test-agent-secret/admin-token", token)
	file := filepath.Join(dir, "agent.yaml")
	servicetest.WriteFile(t, file, settings)
	status, _, stderr := servicetest.Once(t, newAgent(), nil, "-t", "-config", file)
	assert.Zero(t, status, stderr)
}

// Every metric in the alerts and in the dashboard is one that the program has.
func TestDeployMetrics(t *testing.T) {
	alerts, _ := deployed(t, "alerts", "alerts.yaml")
	dashboard, text := deployed(t, "dashboard", "dashboard.json")
	assert.Regexp(t, regexp.MustCompile(`(?s)^\{.*\}\n$`), text)
	r := servicetest.Start(t, newAgent())
	assert.Equal(t, 7, score(t, r))
	r.Refuse(t) // makes a disconnect
	servicetest.CheckMetrics(t, r.Scrape(t), "test_", []string{alerts, dashboard}, "error_type")
}

// The socket unit of examples/ip-reputation is the one that the program prints.
func TestDeployOfExample(t *testing.T) {
	a := newAgent()
	a.Name = "ip-reputation"
	_, text, _ := servicetest.Once(t, a, nil, "-print-deploy=socket")
	b, err := os.ReadFile("../examples/ip-reputation/deploy/ip-reputation.socket")
	require.NoError(t, err)
	assert.Equal(t, text, string(b), "go generate in examples/ip-reputation")
}
