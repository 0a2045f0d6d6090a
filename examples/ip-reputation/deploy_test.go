package main_test

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Every metric of the alert rules and of the dashboard is one that the program has.
func TestMetricsOfDeployment(t *testing.T) {
	a := startProgram(t, nil)
	ask(t, a, 1, spoetest.Arg("traceparent", traceparent))
	// Disconnects are counted by their reason, from the first on.
	stranger, err := net.Dial("tcp", a.Addr(t))
	require.NoError(t, err)
	defer stranger.Close()
	_, err = stranger.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	require.NoError(t, err)
	_, err = io.ReadAll(stranger)
	require.NoError(t, err)
	text := a.Scrape(t, "spop_server_acks_total 1")
	servicetest.CheckMetrics(t, text, "iprep_", []string{"deploy/alerts.yaml", "deploy/grafana.json"}, "iprep_list")
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	status, _, stderr := once(t, "-t", "-config", "deploy/agent.yaml")
	assert.Zero(t, status, stderr)
}

func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/ip-reputation.service") }
