//go:build unix && !race

package docs_test

import (
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestCookbookSeveral: two agents behind one frontend, and two replicas of one.
func TestCookbookSeveral(t *testing.T) {
	s := recipes.Setup{Edits: []string{"inter 1s", "inter 100ms"}}
	runRecipe(t, "several/haproxy.cfg", s, func(k *runningRecipe) {
		t := k.t
		geo1, geo2, bots := k.Agents["127.0.0.1:9000"], k.Agents["127.0.0.1:9001"], k.Agents["127.0.0.1:9010"]

		// 50 is for the program; 40 more would be for a country that is not known, but
		// geo's answer gave it to bots.
		v := k.scored("50", "User-Agent", "curl/8")
		assert.Equal(t, []string{"HERE"}, v.Header.Values("X-Country"))
		k.scored("0", "User-Agent", browser)

		// One of two ends by SIGTERM: the other one answers.
		geo1.Terminate()
		k.WaitLog("Server geo-agents/agent1 is DOWN")
		for range 10 {
			v = seen(t, k.get(200, "/"))
			assert.Equal(t, []string{"HERE"}, v.Header.Values("X-Country"))
		}

		if !k.Binary.AtLeast("3.0") {
			t.Logf("NOT TESTED with %v: an engine without an agent beside another engine, as that HAProxy then may "+
				"forget its own timeout processing (haproxy/haproxy#2478)", k.Binary)
			return
		}
		// Without bots the request passes, without geo it does not.
		bots.Kill()
		v = k.scored("", "X-Bot-Score", "forged")
		assert.Equal(t, []string{"HERE"}, v.Header.Values("X-Country"))
		geo2.Kill()
		k.get(503, "/")
	})
}

// scored requests until the site sees a score, and returns what it sees.
func (k *runningRecipe) scored(score string, headers ...string) visit {
	k.t.Helper()
	var resp haproxytest.Response
	recipes.Until(k.t, func() bool {
		resp = k.get(200, "/", headers...)
		return seen(k.t, resp).Header.Get("X-Bot-Score") == score
	}, func() string { return "the score is not " + score + ": " + resp.Body })
	return seen(k.t, resp)
}
