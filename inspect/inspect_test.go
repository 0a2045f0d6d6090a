package inspect_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// message returns a message with arguments given as names and values.
func message(tb testing.TB, args ...any) *spoe.Message {
	var given []spoetest.Argument
	for i := 0; i < len(args); i += 2 {
		given = append(given, spoetest.Arg(args[i].(string), args[i+1]))
	}
	msg, err := spoetest.NewMessage("check", given...)
	require.NoError(tb, err)
	return msg
}

// browser is an open page.
type browser struct {
	t      *testing.T
	events *bufio.Reader
}

func open(t *testing.T, p *inspect.Page, query string) *browser {
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = p.Close() }) // before the server waits for the stream
	resp, err := srv.Client().Get(srv.URL + "/events" + query)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(t, http.StatusOK, resp.StatusCode)
	b := &browser{t, bufio.NewReader(resp.Body)}
	b.next("stats") // the page counts from now on
	return b
}

// next returns the data of the next event of that kind.
func (b *browser) next(kind string) string {
	for found := false; ; {
		line, err := b.events.ReadString('\n')
		require.NoError(b.t, err)
		if data, ok := strings.CutPrefix(line, "data: "); ok && found {
			return data
		}
		if strings.HasPrefix(line, "event: ") {
			found = line == "event: "+kind+"\n"
		}
	}
}

func handle(p *inspect.Page, f spoe.HandlerFunc) spoe.Handler { return p.Middleware()(f) }

func TestCostsNothingWhileNobodyLooks(t *testing.T) {
	h := handle(inspect.New(inspect.Config{}), func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
	msg, acts := message(t, "ip", "192.0.2.1"), &spoe.Actions{}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = h.ServeSPOE(t.Context(), msg, acts) }))
}

func TestSecretsStayInTheProcess(t *testing.T) {
	type in struct {
		Key string `spoe:"inspecttest_key,secret"`
	}
	r := router.New()
	r.Handle("keyed", func(context.Context, in) (struct{}, error) { return struct{}{}, nil })
	block := func(names ...string) (b []byte) {
		for _, name := range names {
			b = codec.AppendString(codec.AppendString(b, name), "hunter2")
		}
		return b
	}
	tests := map[string]struct {
		value  any
		secret bool
	}{
		"inspecttest_key":  {"hunter2", true},
		"extra":            {"hunter2", true},
		"open":             {"hunter2", false},
		"cookie":           {"hunter2", true},
		"h.authorization":  {"hunter2", true},
		"x_api_key":        {"hunter2", true},
		"bin":              {append(block("COOKIE"), 0, 0), true},
		"bin-open":         {append(block("Host"), 0, 0), false},
		"bin-cut":          {block("Proxy-Authorization")[:24], true},
		"bin-broken":       {append(block("set-cookie"), 9, 9), true},
		"text":             {"Host: a\r\nAuthorization: Bearer hunter2\r\n\r\n", true},
		"text-folded":      {"Cookie: a\r\n hunter2\r\nHost: a\r\n", true},
		"text-blank":       {"Set-Cookie : hunter2\r\n", true},
		"text-behind-much": {strings.Repeat("X: y\r\n", 9000) + "Cookie: hunter2\r\n", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := inspect.New(inspect.Config{Secrets: []string{"extra"}})
			b := open(t, p, "")
			h := handle(p, func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				return acts.SetVar(spoe.VarScopeTransaction, "seen", true)
			})
			require.NoError(t, h.ServeSPOE(t.Context(), message(t, name, test.value), &spoe.Actions{}))
			sample := b.next("sample")
			assert.Equal(t, !test.secret, strings.Contains(sample, "hunter2"), sample)
			hexed := "68756e74657232"
			if test.secret {
				assert.NotContains(t, sample, hexed)
				assert.NotContains(t, b.next("stats"), "hunter2", "the slowest ones")
			}
		})
	}
}

func TestSecretVariable(t *testing.T) {
	p := inspect.New(inspect.Config{Secrets: []string{"token"}})
	b := open(t, p, "")
	h := handle(p, func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		return acts.SetString(spoe.VarScopeTransaction, "token", "hunter2")
	})
	require.NoError(t, h.ServeSPOE(t.Context(), message(t), &spoe.Actions{}))
	sample := b.next("sample")
	assert.NotContains(t, sample, "hunter2")
	assert.Contains(t, sample, "txn.token")
}

func TestFilterCannotGuessSecrets(t *testing.T) {
	p := inspect.New(inspect.Config{})
	samples, _, _ := p.Look(map[string][]string{"arg": {"hunter2"}})
	h := handle(p, func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
	_ = h.ServeSPOE(t.Context(), message(t, "cookie", "hunter2"), &spoe.Actions{})
	assert.Zero(t, samples())
	_ = h.ServeSPOE(t.Context(), message(t, "host", "hunter2"), &spoe.Actions{})
	assert.Equal(t, 1, samples())
}

func TestOutcomes(t *testing.T) {
	tests := map[string]spoe.HandlerFunc{
		"ok": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			return acts.SetInt(spoe.VarScopeTransaction, "n", 1)
		},
		"empty":   func(context.Context, *spoe.Message, *spoe.Actions) error { return nil },
		"error":   func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("no") },
		"panic":   func(context.Context, *spoe.Message, *spoe.Actions) error { panic("no") },
		"timeout": func(context.Context, *spoe.Message, *spoe.Actions) error { return spoe.ErrTimeout },
		"shed":    func(context.Context, *spoe.Message, *spoe.Actions) error { return middleware.ErrShed },
	}
	for want, f := range tests {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			p := inspect.New(inspect.Config{})
			b := open(t, p, "")
			call := func() { _ = handle(p, f).ServeSPOE(t.Context(), message(t), &spoe.Actions{}) }
			if want == "panic" {
				assert.Panics(t, call)
			} else {
				call()
			}
			var got struct{ Outcome string }
			require.NoError(t, json.Unmarshal([]byte(b.next("sample")), &got))
			assert.Equal(t, want, got.Outcome)
			assert.Contains(t, b.next("stats"), `"`+want+`":1`)
		})
	}
}

func TestSlowBrowserLosesSamples(t *testing.T) {
	t.Parallel()
	p := inspect.New(inspect.Config{})
	samples, dropped, leave := p.Look(nil)
	h := handle(p, func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
	for end := time.Now().Add(3500 * time.Millisecond); time.Now().Before(end); {
		_ = h.ServeSPOE(t.Context(), message(t, "ip", "192.0.2.1"), &spoe.Actions{})
		time.Sleep(time.Millisecond)
	}
	skipped, lost := dropped()
	assert.Equal(t, 100, samples())
	assert.NotZero(t, skipped)
	assert.NotZero(t, lost)
	leave()
	_ = h.ServeSPOE(t.Context(), message(t), &spoe.Actions{})
	assert.Equal(t, 100, samples())
}

func TestAskCommandLine(t *testing.T) {
	p := inspect.New(inspect.Config{Addr: "127.0.0.1:9999"})
	b := open(t, p, "")
	h := handle(p, func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
	_ = h.ServeSPOE(t.Context(), message(t, "q", "it's $(id)", "file", "@/etc/passwd", "n", int64(7), "raw", []byte{0, 1}, "none", nil), &spoe.Actions{})
	var got struct{ Ask string }
	require.NoError(t, json.Unmarshal([]byte(b.next("sample")), &got))
	assert.Equal(t, `spoectl ask 127.0.0.1:9999 check 'q:string=it'\''s $(id)' 'file:string=@@/etc/passwd' n:int64=7 raw:hex=0001 none:null=`, got.Ask)
}

func TestPageRefuses(t *testing.T) {
	p := inspect.New(inspect.Config{MaxViewers: 1})
	get := func(path, site string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	assert.Equal(t, http.StatusForbidden, get("/inspect/events", "cross-site").Code)
	assert.Equal(t, http.StatusNotFound, get("/inspect/page.go", "none").Code)
	w := get("/inspect/", "none")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self'")
	assert.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
	_, _, leave := p.Look(nil)
	assert.Equal(t, http.StatusServiceUnavailable, get("/inspect/events", "same-origin").Code)
	leave()
	require.NoError(t, p.Close())
	assert.Equal(t, http.StatusServiceUnavailable, get("/inspect/events", "same-origin").Code, "closed")
}

// TestRouterKnowsTheDeadline: the middleware hides nothing that the router asks of
// a handler.
func TestRouterKnowsTheDeadline(t *testing.T) {
	p := inspect.New(inspect.Config{})
	r := router.New()
	r.Use(p.Middleware(), middleware.Timeout(time.Second))
	r.HandleRaw("check", spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return nil }))
	assert.Equal(t, time.Second, r.Routes()[0].Deadline)
}

func BenchmarkMiddleware(b *testing.B) {
	f := spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		acts.Reset()
		return acts.SetInt(spoe.VarScopeTransaction, "n", 1)
	})
	run := func(name string, pages int, h func(*inspect.Page) spoe.Handler) {
		b.Run(name, func(b *testing.B) {
			p := inspect.New(inspect.Config{})
			for range pages {
				p.Look(nil)
			}
			msg, acts, handler := message(b, "ip", "192.0.2.1"), &spoe.Actions{}, h(p)
			b.ReportAllocs()
			for b.Loop() {
				_ = handler.ServeSPOE(b.Context(), msg, acts)
			}
		})
	}
	with := func(p *inspect.Page) spoe.Handler { return p.Middleware()(f) }
	run("without", 0, func(*inspect.Page) spoe.Handler { return f })
	run("nobody-looks", 0, with)
	run("two-pages", 2, with)
}
