package e2e_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// agentTimeout is the timeout of handlers that return only when their test ends, so an ACK
// can only come from the timeout.
const agentTimeout = 50 * time.Millisecond

const failing = `
spoe-message fine
    event on-frontend-http-request if { path /fine }
spoe-message error
    event on-frontend-http-request if { path /error }
spoe-message panic
    event on-frontend-http-request if { path /panic }
spoe-message hang
    event on-frontend-http-request if { path /hang }
spoe-message big
    event on-frontend-http-request if { path /big }`

const failClosed = `
    http-request deny deny_status 403 hdr X-Reason "%[var(txn.e2e.reason)]" hdr X-Set "%[var(txn.e2e.set)]" if { var(txn.e2e.reason) -m found }
    http-request return status 200 hdr X-Set "%[var(txn.e2e.set)]" hdr X-Error "%[var(txn.e2e.error)]"`

// failures handles the messages of failing; handlers of hang return only with release.
func failures(release <-chan struct{}) *router.Router {
	set := func(acts *spoe.Actions) {
		if err := acts.SetString(spoe.VarScopeTransaction, "set", "yes"); err != nil {
			panic(err)
		}
	}
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "reason")
	r.Use(middleware.Recover())
	r.HandleRaw("fine", spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		set(acts)
		return nil
	}))
	r.HandleRaw("error", spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		set(acts)
		return errors.New("the database is gone")
	}))
	r.HandleRaw("panic", spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		set(acts)
		panic("a bug")
	}))
	r.HandleRaw("hang", middleware.Timeout(agentTimeout)(spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		set(acts)
		<-release
		return nil
	})))
	r.HandleRaw("big", spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		set(acts)
		return acts.SetBytes(spoe.VarScopeTransaction, "big", make([]byte, 100_000))
	}))
	return r
}

// TestFailures makes handlers fail in all ways: HAProxy gets the ACK at once, and refuses
// the request by the variable with the reason.
func TestFailures(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		release := make(chan struct{})
		a := startHandler(t, failures(release))
		t.Cleanup(func() { close(release) })
		h := setup(t, bin, a.addr, spoeConf("messages fine error panic hang big", failing), failClosed)

		for _, tc := range []struct {
			path   string
			status int
			reason string
		}{
			{"/fine", 200, ""},
			{"/error", 403, "error: the database is gone"},
			{"/panic", 403, "panic"},
			{"/hang", 403, "timeout"},
			{"/big", 403, "too-big"},
			{"/fine", 200, ""},
		} {
			begin := time.Now()
			resp := h.Get(tc.path)
			took := time.Since(begin)
			assert.Equal(t, tc.status, resp.Status, tc.path)
			assert.Equal(t, tc.reason, resp.Header.Get("X-Reason"), tc.path)
			want := ""
			if tc.status == 200 {
				want = "yes"
			}
			assert.Equal(t, want, resp.Header.Get("X-Set"), "%s: a failed message's own actions are dropped", tc.path)
			assert.Empty(t, resp.Header.Get("X-Error"), tc.path)
			if tc.reason == "timeout" {
				assert.GreaterOrEqual(t, took, agentTimeout, tc.path)
			}
		}
		for _, l := range h.WaitSPOELogs(6) {
			assert.Zero(t, l.Status, l.Line)
		}
		s := a.settled(t)
		assert.EqualValues(t, 1, s.Errors)
		assert.EqualValues(t, 1, s.Panics)
		assert.EqualValues(t, 1, s.Timeouts)
		assert.EqualValues(t, 1, s.DroppedActions)
		assert.EqualValues(t, 1, s.Late)
		assert.Len(t, a.logs.complaints(), 4, "one line for each failure")
	})
}

// TestHangBesideOthers has many handlers hang at once: the requests of others,
// on the same connections, do not wait for them.
func TestHangBesideOthers(t *testing.T) {
	const hanging, fine = 40, 200
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		release := make(chan struct{})
		a := startHandler(t, failures(release))
		t.Cleanup(func() { close(release) })
		h := setup(t, bin, a.addr, spoeConf("messages fine error panic hang big", failing), failClosed)

		get := func(path string, status int) {
			resp, err := h.Client().Get(h.URL + path)
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, resp.Body.Close())
			assert.Equal(t, status, resp.StatusCode, path)
			assert.Empty(t, resp.Header.Get("X-Error"), path)
		}
		var running sync.WaitGroup
		for range hanging {
			running.Go(func() { get("/hang", 403) })
		}
		for range 4 {
			running.Go(func() {
				for range fine / 4 {
					get("/fine", 200)
				}
			})
		}
		running.Wait()
		s := a.settled(t)
		assert.EqualValues(t, hanging, s.Late)
		assert.EqualValues(t, hanging+fine, s.Acks)
	})
}

// TestNotifyTimeout has an agent without router and middleware: its own last
// resort answers, too.
func TestNotifyTimeout(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		release := make(chan struct{})
		a := start(t, &spoe.Agent{
			Handler: spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				<-release
				return nil
			}),
			NotifyTimeout: agentTimeout,
		})
		t.Cleanup(func() { close(release) })
		h := setup(t, bin, a.addr, spoeConf("messages ask", ask), failClosed)
		for range 3 {
			resp := h.Get("/")
			assert.Equal(t, 200, resp.Status)
			assert.Empty(t, resp.Header.Get("X-Error"))
		}
		for _, l := range h.WaitSPOELogs(3) {
			assert.Zero(t, l.Status, l.Line)
		}
		require.EqualValues(t, 3, a.Stats().Timeouts)
	})
}
