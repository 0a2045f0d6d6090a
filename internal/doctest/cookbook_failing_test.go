//go:build unix && !race

package docs_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/spoke-go/spoke/internal/recipes"
)

// failures maps each path that makes a running agent fail to the failure that the agent
// reports.
var failures = map[string]string{
	"/fails":  "error: the database is gone",
	"/panics": "panic",
	"/hangs":  "timeout",
}

// TestCookbookFailing makes the agent fail in all ways, behind a configuration that fails
// open and one that fails closed. The log tells the ways apart.
func TestCookbookFailing(t *testing.T) {
	for config, without := range map[string]int{"failing/haproxy-open.cfg": 200, "failing/haproxy-closed.cfg": 503} {
		t.Run(config, func(t *testing.T) {
			runRecipe(t, config, recipes.Setup{Edits: []string{"inter 1s", "inter 100ms"}}, func(k *runningRecipe) {
				k.get(200, "/")
				k.get(403, "/bad")
				for path, failed := range failures {
					k.outcome(without, path, "failed="+failed+" error=-")
				}
				k.get(200, "/")

				// It hangs as a whole: HAProxy gives up after "timeout processing".
				k.agent().Hang()
				k.outcome(without, "/hung", "failed=- error=1")

				// It is gone: at first HAProxy still tries to reach it.
				k.agent().Kill()
				k.outcome(without, "/gone", `failed=- error=\d+`)
				// Then its health checks fail, and HAProxy stops trying.
				k.WaitLog("Server judge-agents/agent1 is DOWN")
				down := "2"
				if k.Binary.AtLeast("3.1") {
					down = "257"
				}
				k.outcome(without, "/down", "failed=- error="+down)
			})
		})
	}
}

// outcome requests a path until HAProxy logs that there was no score, and why.
func (k *runningRecipe) outcome(status int, path, why string) {
	k.t.Helper()
	line := regexp.MustCompile(fmt.Sprintf(`(?m)^GET %s status=%d score=- %s$`, path, status, why))
	recipes.Until(k.t, func() bool {
		k.get(status, path)
		return line.MatchString(k.Output())
	}, func() string { return "HAProxy logs no " + line.String() })
}
