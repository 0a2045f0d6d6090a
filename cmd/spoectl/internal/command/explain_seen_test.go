package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestExplainSeen: for each error in the specimens of package haproxy, which real
// HAProxies gave, explain names the specimen's cause.
func TestExplainSeen(t *testing.T) {
	for specimen, cause := range map[string]string{
		"agents-disabled":          "no server of the agents' backend is up",
		"agents-without-server":    "no server of the agents' backend is up",
		"error-259":                "longer than the frame size that the agent agreed to",
		"error-3":                  "does not fit into HAProxy's buffer",
		"error-agent-gone":         "no agent",
		"hello-without-unit":       "timeout hello",
		"idle-too-short":           "timeout idle",
		"large-buffer":             "use-large-buffer",
		"processing-without-unit":  "timeout processing",
		"queue-too-short":          "maxconn",
		"tcp-group-without-delay":  "inspect-delay",
		"timeout-server-too-short": "timeout server",
	} {
		t.Run(specimen, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("../../../../haproxy/testdata/specimens", specimen, "seen.json"))
			require.NoError(t, err)
			numbers := errorsSeen(t, b)
			require.NotEmpty(t, numbers)
			for _, n := range numbers {
				r := run(t, "explain", "st="+n)
				require.Zero(t, r.status, r.err)
				assert.Contains(t, strings.Join(strings.Fields(r.out), " "), cause, "st=%s", n)
			}
		})
	}
}

var loggedError = regexp.MustCompile(`error=(\d+)`)

// errorsSeen returns the errors in a specimen's seen.json, those of all versions.
func errorsSeen(t *testing.T, b []byte) (numbers []string) {
	t.Helper()
	var seen struct {
		St   []string                   `json:"st"`
		Site map[string]string          `json:"site"`
		Log  string                     `json:"log"`
		By   map[string]json.RawMessage `json:"by"`
	}
	require.NoError(t, json.Unmarshal(b, &seen))
	numbers = seen.St
	if n := seen.Site["X-Error"]; n != "" {
		numbers = append(numbers, n)
	}
	if m := loggedError.FindStringSubmatch(seen.Log); m != nil {
		numbers = append(numbers, m[1])
	}
	for _, v := range seen.By {
		numbers = append(numbers, errorsSeen(t, v)...)
	}
	return numbers
}
