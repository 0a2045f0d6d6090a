package main_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Every metric of the alert rules and of the dashboard is one that the program has.
func TestMetricsOfDeployment(t *testing.T) {
	a := startProgram(t, nil)
	ask(t, a, 1, spoetest.Arg("traceparent", traceparent))
	a.Refuse(t)
	text := a.Scrape(t, "spop_server_acks_total 1")
	servicetest.CheckMetrics(t, text, "iprep_", []string{"deploy/alerts.yaml", "deploy/grafana.json"}, "iprep_list")
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	status, _, stderr := once(t, "-t", "-config", "deploy/agent.yaml")
	assert.Zero(t, status, stderr)
}

func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/ip-reputation.service") }
