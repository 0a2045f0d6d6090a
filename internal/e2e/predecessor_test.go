package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPredecessor compiles a program written for criteo/haproxy-spoe-go, of which only the
// import path was changed, and lets HAProxy ask it. The program listens on port 9000; the
// test compiles it with a free one.
func TestPredecessor(t *testing.T) {
	addr := freeaddr.Find(t)

	source, err := filepath.Abs("testdata/predecessor/main.go")
	require.NoError(t, err)
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), `":9000"`))
	dir := t.TempDir()
	other := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(other, []byte(strings.Replace(string(text), ":9000", addr, 1)), 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: other}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	program := filepath.Join(dir, "predecessor")
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./testdata/predecessor").CombinedOutput()
	require.NoError(t, err, "%s", out)

	haproxytest.StartProgram(t, exec.Command(program)).WaitListening("tcp", addr)

	conf := spoeConf("messages ip-rep", `
spoe-message ip-rep
    args ip=src
    event on-frontend-http-request`)
	const rules = `
    http-after-response set-header X-Reputation "%[var(sess.e2e.reputation)]"
    http-after-response set-header X-String yes if { var(sess.e2e.reputation) -m str 1 }
    http-after-response set-header X-Int yes if { var(sess.e2e.reputation) -m int eq 1 }`
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := setup(t, bin, addr, conf, rules)
		resp := h.Get("/")
		assert.Equal(t, 200, resp.Status)
		assert.Equal(t, "1", resp.Header.Get("X-Reputation"))
		assert.Equal(t, "yes", resp.Header.Get("X-String"), "as a string")
		assert.Equal(t, "yes", resp.Header.Get("X-Int"), "as a number")
		assert.Zero(t, h.WaitSPOELogs(1)[0].Status)
	})
}
