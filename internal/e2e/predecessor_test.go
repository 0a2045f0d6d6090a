package e2e_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPredecessor compiles a program written for criteo/haproxy-spoe-go, which
// only its import path tells from what people have, and has HAProxy ask it.
func TestPredecessor(t *testing.T) {
	const addr = "127.0.0.1:9000" // the program says so
	ln, err := net.Listen("tcp", ":9000")
	require.NoError(t, err, "the program of this test listens on port 9000: stop what does now")
	require.NoError(t, ln.Close())

	program := filepath.Join(t.TempDir(), "predecessor")
	out, err := exec.Command("go", "build", "-o", program, "./testdata/predecessor").CombinedOutput()
	require.NoError(t, err, "%s", out)

	startProcess(t, exec.Command(program))
	listening := eventually(waitLimit, func() bool {
		nc, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		return nc.Close() == nil
	})
	require.True(t, listening, "the program does not listen on %s", addr)

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
