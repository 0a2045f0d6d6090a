package e2e_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// TestUnixSocket has HAProxy reach the agent over a socket file with a mode.
func TestUnixSocket(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		dir, err := os.MkdirTemp("", "e2e-") // t.TempDir is too long for a socket
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
		path := filepath.Join(dir, "spoa.sock")
		sa := &spoe.Agent{Handler: echo(), SocketMode: 0o660}
		a := serve(t, sa, "unix@"+path, func() error { return sa.ListenAndServe("unix:" + path) })
		require.True(t, eventually(waitLimit, func() bool {
			info, err := os.Stat(path)
			return err == nil && info.Mode() == fs.ModeSocket|0o660
		}), "a socket with mode 0660")
		asksOverUnix(t, bin, a)

		require.NoError(t, a.Close())
		require.True(t, eventually(waitLimit, func() bool {
			_, err := os.Stat(path)
			return os.IsNotExist(err)
		}), "the socket file is left over")
	})
}

// TestAbstractSocket has HAProxy reach the agent over an abstract socket, as
// spoe.Listen's comment says.
func TestAbstractSocket(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		name := fmt.Sprintf("spoke-e2e-%d-%d", os.Getpid(), rand.Uint32())
		ln, err := spoe.Listen("unix:@" + name)
		require.NoError(t, err)
		sa := &spoe.Agent{Handler: echo()}
		asksOverUnix(t, bin, serve(t, sa, "abns@"+name, func() error { return sa.Serve(ln) }))
	})
}

func asksOverUnix(t *testing.T, bin haproxytest.Binary, a *agent) {
	t.Helper()
	conf := spoeConf("messages echo", `
spoe-message echo
    args path=path
    event on-frontend-http-request`)
	h := setup(t, bin, a.addr, conf, `
    http-request return status 200 hdr x-error "%[var(txn.e2e.error)]" hdr x-path "%[var(txn.e2e.path)]"`)
	for range 3 {
		resp := h.Get("/over/unix")
		require.Empty(t, resp.Header.Get("X-Error"), "HAProxy does not reach the agent at %s", a.addr)
		assert.Equal(t, "/over/unix", resp.Header.Get("X-Path"))
	}
	assert.Empty(t, a.logs.complaints())
}

// echo is a handler that sets a variable for each argument.
func echo() spoe.Handler { return conformance.ContractHandler() }
