//go:build unix && !race

package docs_test

import (
	"path/filepath"
	"testing"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestCookbookTLS: HAProxy and the agent accept each other, and no third party.
func TestCookbookTLS(t *testing.T) {
	ours, others := certificates(t), certificates(t)
	dir := t.TempDir()
	writeFiles(t, dir, ours)
	args := []string{"-cert", filepath.Join(dir, "agent.pem"), "-key", filepath.Join(dir, "agent.key"), "-client-ca", filepath.Join(dir, "ca.pem")}
	for _, c := range []struct {
		name        string
		ca, haproxy string // HAProxy's files
		edits       []string
		refused     string // the agent's log line, if the agent refuses
		good        bool
	}{
		{"as it is", ours["ca.pem"], ours["haproxy.pem"], nil, "", true},
		{"verify required does not look at the name", ours["ca.pem"], ours["haproxy.pem"], []string{" verifyhost agent.example", ""}, "", true},
		{"HAProxy without a certificate", ours["ca.pem"], ours["haproxy.pem"], []string{" crt haproxy.pem", ""}, "didn't provide a certificate", false},
		{"HAProxy with somebody else's certificate", ours["ca.pem"], others["haproxy.pem"], nil, "certificate", false},
		{"an agent that HAProxy does not know", others["ca.pem"], ours["haproxy.pem"], nil, "", false},
		{"an agent of another name", ours["ca.pem"], ours["haproxy.pem"], []string{"verifyhost agent.example", "verifyhost other.example"}, "", false},
		{"HAProxy without TLS", ours["ca.pem"], ours["haproxy.pem"],
			[]string{" ssl verify required ca-file ca.pem verifyhost agent.example crt haproxy.pem", ""}, "not TLS but a HAPROXY-HELLO", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := recipes.Setup{Args: args, Edits: append(c.edits, "inter 1s", "inter 100ms"), Files: map[string]string{"ca.pem": c.ca, "haproxy.pem": c.haproxy}}
			runRecipe(t, "tls/haproxy.cfg", s, func(k *runningRecipe) {
				if !c.good {
					k.agent().WaitOutput(c.refused)
					k.WaitLog("Server judge-agents/agent1 is DOWN") // health checks go the same way
					k.get(503, "/")
					return
				}
				k.get(200, "/")
				k.get(403, "/.env")
				k.agent().Kill()
				k.get(503, "/")
			})
		})
	}
}
