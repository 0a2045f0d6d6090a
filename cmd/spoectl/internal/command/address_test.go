package command_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// ask, bench, tap and replay take an address as HAProxy's server lines have it.
func TestAddresses(t *testing.T) {
	dir, err := os.MkdirTemp("", "spoectl-") // t.TempDir is too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	name := fmt.Sprintf("spoectl-%d-%d", os.Getpid(), rand.Uint32())
	listen := []string{"ipv4@127.0.0.1:0", "*:0", "unix@" + filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	if runtime.GOOS == "linux" {
		listen = append(listen, "abns@"+name, "abnsz@"+name+"z")
	}
	for _, addr := range listen {
		t.Run(strings.ReplaceAll(addr, "/", "_"), func(t *testing.T) {
			ln, err := spoe.Listen(addr)
			require.NoError(t, err)
			bound := serveOn(t, &spoe.Agent{Handler: spoe.HandlerFunc(ipRep)}, ln)
			if strings.HasSuffix(addr, ":0") {
				addr = strings.TrimSuffix(addr, "0") + bound[strings.LastIndexByte(bound, ':')+1:]
			}
			r := run(t, "ask", addr, "ip-rep", "ip=192.0.2.42")
			require.Zero(t, r.status, r.err)
			assert.Contains(t, r.out, "sess.ip_score = INT64 42")
			if runtime.GOOS == "linux" {
				r = run(t, "bench", addr, "ip-rep", "ip=192.0.2.42", "--count", "10")
				assert.Zero(t, r.status, r.err)
			}
			tp := startTap(t, addr, "--quiet")
			assert.Zero(t, run(t, "ask", tp.addr, "m").status)
		})
	}
	assert.Contains(t, run(t, "ask", "fd:3", "m").err, `address "fd:3" is for an agent that listens`)
}
