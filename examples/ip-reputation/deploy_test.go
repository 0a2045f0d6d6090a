package main_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Every metric of the alert rules and of the dashboard is one that the program has.
func TestMetricsOfDeployment(t *testing.T) {
	publisher := httptest.NewServer(http.FileServer(http.Dir("lists")))
	defer publisher.Close()
	flags := append(writeDatabases(t), "-list", "lists/blocklist.netset", "-list", "name=tor,url="+publisher.URL+"/tor-exits.txt,path="+filepath.Join(t.TempDir(), "tor.txt"))
	a := startProgram(t, nil, flags...)
	ask(t, a, 1, spoetest.Arg("traceparent", traceparent))
	a.Refuse(t)
	text := a.Scrape(t, "spop_server_acks_total 1", `iprep_country_decisions_total{iprep_country="DE"} 1`,
		`iprep_list_fetches_total{iprep_fetch_result="replaced",iprep_list="tor"} 1`)
	servicetest.CheckMetrics(t, text, "iprep_", []string{"deploy/alerts.yaml", "deploy/grafana.json"}, "iprep_list", "iprep_country", "iprep_fetch_result")
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	status, _, stderr := once(t, "-t", "-config", "deploy/agent.yaml")
	assert.Zero(t, status, stderr)
}

func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/ip-reputation.service") }
