package main_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// A target that leads back to HAProxy gets each request once.
func TestNoLoop(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		origin := newSite(t, nil)
		file := t.TempDir() + "/agent.yaml"
		servicetest.WriteFile(t, file, "target: []\n")
		a := startAgent(t, "-config", file)
		h := startHAProxy(t, bin, a, origin)
		servicetest.WriteFile(t, file, "target: [{name: itself, url: "+h.URL+"}]\n")
		a.Reload <- os.Interrupt
		a.Log.Wait(t, "configuration reloaded")
		require.Equal(t, http.StatusOK, h.Status("/", "X-Id", "round"))
		a.Scrape(t, `mirror_copies_total{mirror_outcome="answered",mirror_target="itself"} 1`,
			`mirror_copies_total{mirror_outcome="looped",mirror_target="itself"} 1`)
		assert.Len(t, origin.all()["round"], 2)
	})
}
