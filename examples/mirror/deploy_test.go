package main_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	main "github.com/spoke-go/spoke/examples/mirror"
	"github.com/spoke-go/spoke/service/servicetest"
)

// Every metric of the alert rules and of the dashboard is one that the program has.
func TestMetricsOfDeployment(t *testing.T) {
	release := make(chan struct{})
	mirror := newSite(t, func(http.ResponseWriter, *http.Request) { <-release })
	a := servicetest.Run(t, nil, "-url", mirror.URL, "-workers", "1", "-queue", "1", "-timeout", "10s", "-shutdown-timeout", "10s")
	c := dial(t, a)
	for range 3 {
		c.send(t, "GET", "/", nil, "") // the third is dropped
	}
	a.Refuse(t)
	close(release)
	scraped := a.Scrape(t, copies(mirror, "answered", 2))
	servicetest.CheckMetrics(t, scraped, "mirror_", []string{"deploy/alerts.yaml", "deploy/grafana.json"}, "mirror_target", "mirror_outcome")
}

// The settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	status, _, stderr := servicetest.Once(t, main.Agent(), nil, "-t", "-config", "deploy/agent.yaml")
	assert.Zero(t, status, stderr)
}

func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/mirror.service") }
