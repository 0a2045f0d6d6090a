package command_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// tap, its recordings and decode do not show secrets, not in fragments either; the agent
// gets the whole values.
func TestSecrets(t *testing.T) {
	agent := serve(t, loopback)
	routes := file(t, "routes", `{"messages": [{"name": "echo", "args": [{"name": "pin", "secret": true}], "vars": [{"scope": "txn", "name": "pin", "secret": true}]}]}`)
	h := http.Header{"Cookie": {"id=S3CRET"}, "Accept": {"text/plain"}, "Authorization": {"Basic S3CRET"}}
	ask := func(addr string) {
		c, err := spoetest.Dial(t.Context(), "tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		args := []spoetest.Argument{
			spoetest.Arg("h", spoetest.HeadersText(h)), spoetest.Arg("b", h), spoetest.Arg("cookie", "S3CRET"), spoetest.Arg("pin", "S3CRET"), spoetest.Arg("open", "visible"),
		}
		vars, err := c.Ask(t.Context(), "echo", args...)
		require.NoError(t, err)
		require.Equal(t, "S3CRET", vars.Str("txn.pin"))
		for _, size := range []int{3, 50} {
			id, err := c.NotifyFragments(t.Context(), size, spoetest.Msg("echo", args...))
			require.NoError(t, err)
			_, err = c.Ack(t.Context(), id)
			require.NoError(t, err)
		}
		// An ABORT ends a payload whose secret was already sent.
		fragments := spoetest.Fragments(spoetest.ID{Stream: 99, Frame: 1}, []byte("S3CRET S3CRET S3CRET"), 10)
		abort := codec.Frame{Type: codec.FrameUnset, Flags: codec.FlagFIN | codec.FlagABORT, StreamID: 99, FrameID: 1}
		require.NoError(t, c.WriteFrames(t.Context(), fragments[0], abort))
	}
	rec := filepath.Join(t.TempDir(), "rec")
	tp := startTap(t, agent, "--full", "--routes", routes, "--record", rec)
	ask(tp.addr)
	got := tp.stop(t)
	require.Zero(t, got.status, got.err)
	recorded, err := os.ReadFile(rec)
	require.NoError(t, err)
	decoded := run(t, "decode", "--full", "--show-secrets", rec)
	require.Zero(t, decoded.status, decoded.err)
	for _, text := range []string{got.out, decoded.out} {
		assert.NotContains(t, text, "S3CRET")
		assert.Contains(t, text, `pin = STRING "******"`)
		assert.Contains(t, text, `txn.pin = STRING "******"`)
		assert.Contains(t, text, `cookie: *********`)
		assert.Contains(t, text, `accept: text/plain`)
		assert.Equal(t, 6, strings.Count(text, `open = STRING "visible"`), "three NOTIFYs and ACKs")
	}
	assert.NotContains(t, string(recorded), "533343524554", "S3CRET in hex")

	all := filepath.Join(t.TempDir(), "all")
	tp = startTap(t, agent, "--full", "--show-secrets", "--record", all)
	ask(tp.addr)
	assert.Contains(t, tp.stop(t).out, "S3CRET")
	assert.NotContains(t, run(t, "decode", "--full", "--routes", routes, all).out, "S3CRET")
	assert.Contains(t, run(t, "decode", "--full", "--show-secrets", all).out, "S3CRET")
	assert.Contains(t, run(t, "decode", "--routes", "/none", all).err, "open /none")
}
