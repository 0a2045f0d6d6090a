//go:build unix && !race

package docs_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// failures are what an agent that is there says of its own failures, by the path
// that brings them about.
var failures = map[string]string{
	"/fails":  "error: the database is gone",
	"/panics": "panic",
	"/hangs":  "timeout",
}

// TestCookbookFailing has the agent fail in all ways, behind a configuration that
// fails open and one that fails closed. The log tells the ways apart.
func TestCookbookFailing(t *testing.T) {
	for config, without := range map[string]int{"failing/haproxy-open.cfg": 200, "failing/haproxy-closed.cfg": 503} {
		t.Run(config, func(t *testing.T) {
			cookAll(t, config, setup{edits: []string{"inter 1s", "inter 100ms"}}, func(k *kitchen) {
				k.get(200, "/")
				k.get(403, "/bad")
				for path, failed := range failures {
					k.get(without, path)
					assert.Equal(k.t, failed, k.logged(`^GET `+path+` status=\d+ score=- failed=(.*) error=-$`))
				}
				k.get(200, "/")

				// It hangs as a whole: HAProxy gives up after "timeout processing".
				k.agent().hang()
				k.get(without, "/hung")
				assert.Equal(k.t, "1", k.logged(`^GET /hung status=\d+ score=- failed=- error=(.*)$`))

				// It is gone: at first HAProxy still tries to reach it.
				k.agent().kill()
				k.get(without, "/gone")
				k.logged(`^GET /gone status=\d+ score=- failed=- error=(\d+)$`)
				// Then its health checks have told, and it does not try any more.
				k.WaitLog("Server judge-agents/agent1 is DOWN")
				down := "2"
				if k.Binary.AtLeast("3.1") {
					down = "257"
				}
				until(k.t, func() bool {
					k.get(without, "/down")
					return regexp.MustCompile(`(?m)^GET /down status=\d+ score=- failed=- error=` + down + `$`).MatchString(k.Output())
				}, func() string { return "no error=" + down })
			})
		})
	}
}
