package e2e_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// TestFragments makes HAProxy send messages larger than its frames. Up to 3.0 it
// cuts them into fragments, later versions drop them with st=3; either way the
// connections stay.
func TestFragments(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lines string
		body  int // bytes, of which the message has three copies
	}{
		{"default-frames", "", 12_000},
		{"small-frames", "max-frame-size 512", 12_000},
	} {
		t.Run(tc.name, func(t *testing.T) { fragments(t, tc.lines, tc.body) })
	}
}

func fragments(t *testing.T, lines string, size int) {
	body := []byte(strings.Repeat("0123456789abcdef", size/16))
	conf := spoeConf("messages body small\n"+lines, `
spoe-message body
    args one=req.body two=req.body three=req.body path=path
    event on-frontend-http-request if { method POST }
spoe-message small
    args path=path
    event on-frontend-http-request if { method GET }`)
	const rules = `
    option http-buffer-request
    http-request return status 200 hdr X-Whole "%[var(txn.e2e.whole)]" hdr X-Path "%[var(txn.e2e.path)]" hdr X-Error "%[var(txn.e2e.error)]"`

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startHandler(t, spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			path, _ := msg.Args.Lookup("path")
			if err := acts.SetString(spoe.VarScopeTransaction, "path", path.Str()); err != nil || msg.Name != "body" {
				return err
			}
			whole := 0
			for name, v := range msg.Args.All() {
				if name != "path" && v.Str() == string(body) {
					whole++
				}
			}
			return acts.SetInt(spoe.VarScopeTransaction, "whole", int64(whole))
		}))
		h := setup(t, bin, a.addr, conf, rules)

		const n = 20
		var first uint64 // connections, once HAProxy has what it wants: the agent may see some late
		for i := range n {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/big", bytes.NewReader(body))
			require.NoError(t, err)
			resp, err := h.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 200, resp.StatusCode)
			if bin.AtLeast("3.1") {
				assert.Equal(t, "3", resp.Header.Get("X-Error"), "too big")
				assert.Empty(t, resp.Header.Get("X-Whole"))
			} else {
				assert.Empty(t, resp.Header.Get("X-Error"), "request %d", i)
				assert.Equal(t, "3", resp.Header.Get("X-Whole"), "request %d", i)
			}
			small := h.Get("/small")
			assert.Equal(t, "/small", small.Header.Get("X-Path"))
			assert.Empty(t, small.Header.Get("X-Error"))
			if i == n/2 {
				first = a.Stats().ConnectionsTotal
			}
		}

		logs, s := h.WaitSPOELogs(2*n), a.settled(t)
		for i, l := range logs {
			want := 0
			if i%2 == 0 && bin.AtLeast("3.1") {
				want = 3
			}
			assert.Equal(t, want, l.Status, l.Line)
		}
		t.Logf("%d NOTIFYs over %d connections", s.Notifies, s.ConnectionsTotal)
		// The first message has 2.6 open one for each of its attempts to send a
		// fragment before the hello is done; without fragments it is a thousand.
		assert.LessOrEqual(t, first, uint64(100), "HAProxy reconnects")
		assert.LessOrEqual(t, s.ConnectionsTotal, first+4, "HAProxy reconnects")
		assert.Empty(t, s.DisconnectsSent)
		assert.Empty(t, s.DisconnectsReceived)
		assert.Zero(t, s.Aborted)
		assert.Empty(t, a.logs.complaints())
	})
}
