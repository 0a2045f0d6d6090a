package e2e_test

import (
	"context"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// recorder is a handler that keeps the messages it gets.
type recorder struct {
	mu   sync.Mutex // guards msgs
	msgs []*spoe.Message
}

func (r *recorder) ServeSPOE(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.msgs = append(r.msgs, msg.Clone())
	return nil
}

// take returns the messages since the last take.
func (r *recorder) take() []*spoe.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	msgs := r.msgs
	r.msgs = nil
	return msgs
}

// TestArguments makes HAProxy send samples of all its types.
func TestArguments(t *testing.T) {
	conf := spoeConf("messages samples", `
spoe-message samples
    args yes=bool(true) no=bool(false)
    args small=int(7) negative=int(-5) huge=int(9223372036854775807) lowest=int(-9223372036854775808)
    args ip4=src ip6=req.hdr_ip(x-ip6)
    args text=path empty=req.hdr(x-empty) long=req.hdr(x-long) bytes=bin(00c0ffee)
    args method=method missing=req.hdr(x-none)
    args headers=req.hdrs_bin body=req.body
    args path
    event on-frontend-http-request`)

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		rec := new(recorder)
		a := startHandler(t, rec)
		h := setup(t, bin, a.addr, conf, `
    option http-buffer-request
    http-request return status 200`)
		for _, method := range []string{http.MethodPost, "PURGE"} {
			req, err := http.NewRequestWithContext(t.Context(), method, h.URL+"/some/path", strings.NewReader("a=b&c=d"))
			require.NoError(t, err)
			req.Header.Set("X-IP6", "2001:db8::1")
			req.Header.Set("X-Empty", "")
			req.Header.Set("X-Long", strings.Repeat("x", 3000))
			req.Header["X-Twice"] = []string{"one", "two"}
			resp, err := h.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())

			msgs := rec.take()
			require.Len(t, msgs, 1)
			msg := msgs[0]
			assert.Equal(t, "samples", msg.Name)
			assert.Equal(t, 17, msg.Args.Count())
			got := msg.Args.Map()
			headers, err := spoe.DecodeHeaders(got["headers"].([]byte))
			require.NoError(t, err)
			assert.Equal(t, []string{"one", "two"}, headers.Values("X-Twice"))
			assert.Equal(t, "2001:db8::1", headers.Get("X-IP6"))
			delete(got, "headers")
			huge := int64(math.MaxInt64)                // no constant: Map has an int, which may have 32 bits
			for _, ip := range []string{"ip4", "ip6"} { // of one length, to compare
				got[ip] = got[ip].(net.IP).To16()
			}
			assert.Equal(t, map[string]any{
				"yes": true, "no": false,
				"small": 7, "negative": -5, "huge": int(huge), "lowest": int(-huge - 1),
				"ip4": net.IPv4(127, 0, 0, 1), "ip6": net.ParseIP("2001:db8::1"),
				"text": "/some/path", "empty": "", "long": strings.Repeat("x", 3000),
				"bytes":  []byte{0x00, 0xc0, 0xff, 0xee},
				"method": method, "missing": nil,
				"body": []byte("a=b&c=d"),
				"":     "/some/path",
			}, got)
		}
		for _, l := range h.WaitSPOELogs(2) {
			assert.Zero(t, l.Status, l.Line)
		}
	})
}
