package haproxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// site is a haproxy.cfg with a frontend and a backend for the lines that were written,
// before an origin.
func site(t *testing.T, f haproxy.Files, agent, defaults string) haproxytest.Config {
	t.Helper()
	return before(t, f, agent, defaults, func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "the site") })
}

func before(t *testing.T, f haproxy.Files, agent, defaults string, handler http.HandlerFunc) haproxytest.Config {
	t.Helper()
	origin := httptest.NewServer(handler)
	t.Cleanup(origin.Close)
	return haproxytest.Config{
		Config: `
global
    log stdout format raw local0
{{defaults "http"}}
` + defaults + `
frontend www
    bind {{addr "http"}}
` + f.Frontend + `
    default_backend site
backend site
` + f.Site + `
    http-request set-header X-Known %[var(txn.guard.known)]
    http-response set-header X-Known %[var(txn.guard.known)]
    server site ` + strings.TrimPrefix(origin.URL, "http://") + `
`,
		Files: map[string]string{"spoe.conf": f.SPOE, "agents.cfg": strings.ReplaceAll(f.Backend, "127.0.0.1:9000", agent)},
		Args:  []string{"-f", "agents.cfg"},
	}
}

// status requests a path and returns the status, or 0 where the connection ends.
func status(h *haproxytest.HAProxy, path string) int {
	resp, err := h.Client().Get(h.URL + path)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

type sure struct {
	Known bool `spoe:"known"`
}

// shapes are the ways in which a message is sent that Write closes: /asked is asked
// about, and where there is a condition /free is not.
var shapes = []struct {
	name    string
	send    func(*router.Route)
	refused int
	free    bool
	later   bool // HAProxy before 2.4 does not take it
}{
	{"event", func(r *router.Route) { r.Event(router.OnFrontendHTTPRequest) }, 503, false, false},
	{"if", func(r *router.Route) { r.Event(router.OnFrontendHTTPRequest).If("{ path_beg /asked } METH_GET") }, 503, true, false},
	{"unless", func(r *router.Route) { r.Event(router.OnFrontendHTTPRequest).Unless("{ path_beg /free }") }, 503, true, false},
	{"or", func(r *router.Route) {
		r.Event(router.OnFrontendHTTPRequest).If("{ path /asked } || { path /x } { src 127.0.0.1 }")
	}, 503, true, false},
	{"unless and", func(r *router.Route) { r.Event(router.OnFrontendHTTPRequest).Unless("{ path_beg /free } METH_GET") }, 503, true, false},
	{"group", func(r *router.Route) { r.Group("g") }, 503, false, false},
	{"event and group", func(r *router.Route) {
		r.Event(router.OnFrontendHTTPRequest).If("{ path_beg /asked }").Group("g")
	}, 503, true, false},
	{"backend event", func(r *router.Route) { r.Event(router.OnBackendHTTPRequest) }, 503, false, false},
	{"backend group", func(r *router.Route) { r.Event(router.OnBackendHTTPRequest).Group("g") }, 503, false, false},
	{"response event", func(r *router.Route) { r.Event(router.OnHTTPResponse) }, 502, false, false},
	{"response event if", func(r *router.Route) { r.Event(router.OnHTTPResponse).If("{ status 200 }") }, 502, false, false},
	{"response group", func(r *router.Route) { r.Event(router.OnHTTPResponse).Group("g") }, 502, false, false},
	{"response group by its samples", func(r *router.Route) { r.Group("g").Arg("status", "status").Arg("body", "res.body") }, 502, false, true},
	{"session", func(r *router.Route) { r.Event(router.OnClientSession) }, 0, false, false},
	{"tcp", func(r *router.Route) { r.Event(router.OnFrontendTCPRequest) }, 0, false, false},
}

// TestWrittenClosesOnAbsence: each shape refuses where the agent fails, answers
// nothing, does not know the message, or is gone; and lets pass where it answers and
// where it is not asked.
func TestWrittenClosesOnAbsence(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, s := range shapes {
			if s.later && !bin.AtLeast("2.4") {
				continue // Write refuses it for such a Version: TestWriteOldVersions
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				build := func(fn func(context.Context, client) (sure, error)) *router.Router {
					r := router.New()
					r.Use(within(2 * time.Second))
					s.send(r.Handle("m", fn))
					return r
				}
				answers := build(func(context.Context, client) (sure, error) { return sure{}, nil })
				nothing := router.New()
				nothing.HandleRaw("m", spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return nil }))
				f := write(t, answers, haproxy.Config{Engine: "guard", FailClosed: true})
				for _, agent := range []struct {
					name string
					addr string
					want int
				}{
					{"answers", spoetest.Serve(t, answers), 200},
					{"fails", spoetest.Serve(t, build(func(context.Context, client) (sure, error) { return sure{}, errors.New("on purpose") })), s.refused},
					{"answers nothing", spoetest.Serve(t, nothing), s.refused},
					{"does not know the message", spoetest.Serve(t, router.New()), s.refused},
					{"is gone", "127.0.0.1:1", s.refused},
				} {
					h := haproxytest.Start(t, bin, site(t, f, agent.addr, ""))
					assert.Equal(t, agent.want, status(h, "/asked"), "an agent that %s\n%s", agent.name, f.Frontend)
					if s.free {
						assert.Equal(t, 200, status(h, "/free"), "an agent that %s", agent.name)
					}
				}
			})
		}
	})
}

// TestWrittenRefusesHalfClosed: a client that closes its sending side while HAProxy
// waits does not get past rules that otherwise fail open, nor does it get a response
// that the agent did not judge.
func TestWrittenRefusesHalfClosed(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, s := range shapes {
			if s.later && !bin.AtLeast("2.4") {
				continue // Write refuses it for such a Version: TestWriteOldVersions
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				r := router.New()
				r.Use(within(2 * time.Second))
				s.send(r.Handle("m", func(ctx context.Context, _ client) (sure, error) {
					select {
					case <-ctx.Done():
					case <-time.After(50 * time.Millisecond):
					}
					return sure{}, nil
				}))
				f := write(t, r, haproxy.Config{Engine: "guard"})
				response := s.refused == 502
				var unjudged atomic.Int32
				h := haproxytest.Start(t, bin, before(t, f, spoetest.Serve(t, r), "    option abortonclose", func(w http.ResponseWriter, r *http.Request) {
					if !response && r.Header.Get("X-Known") == "" {
						unjudged.Add(1)
					}
					_, _ = fmt.Fprint(w, "the site")
				}))
				for range 8 {
					conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
					require.NoError(t, err)
					_, err = fmt.Fprint(conn, "GET /asked HTTP/1.1\r\nHost: a\r\n\r\n")
					require.NoError(t, err)
					require.NoError(t, conn.(*net.TCPConn).CloseWrite())
					require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
					b, _ := io.ReadAll(conn) // a reset is an answer, too
					if response && strings.Contains(string(b), "the site") && strings.Contains(strings.ToLower(string(b)), "x-known: \r\n") {
						unjudged.Add(1)
					}
					conn.Close()
				}
				if s.name == "response group" && !bin.AtLeast("2.4") {
					return // there they pass: docs/versions.md
				}
				assert.Zero(t, unjudged.Load(), "they got past the agent")
			})
		}
	})
}
