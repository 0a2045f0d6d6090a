package router_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// within is a timeout as middleware.Timeout has it.
func within(d time.Duration) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return msg.ServeWithin(ctx, d, next, acts)
		})
	}
}

// failing is a router whose messages fail in every way there is.
func failing() *router.Router {
	sets := func(err func() error) spoe.HandlerFunc {
		return func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			return errors.Join(acts.SetBool(spoe.VarScopeTransaction, "partial", true), err())
		}
	}
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	r.HandleRaw("fine", sets(func() error { return nil }))
	r.HandleRaw("error", sets(func() error { return errors.New("no database") }))
	r.HandleRaw("long", sets(func() error { return errors.New(strings.Repeat("ä", 200)) }))
	r.HandleRaw("hostile", sets(func() error { return errors.New("a\r\nX-Admin: 1\xff\x1b[2J\u202e") }))
	r.HandleRaw("panic", sets(func() error { panic("secret of the stack") }))
	r.Handle("bind", typedJudge)
	r.HandleActions("too-big", func(_ context.Context, _ struct{}, acts *spoe.Actions) error {
		return acts.SetString(spoe.VarScopeTransaction, "big", strings.Repeat("x", 1<<20))
	})
	r.With(within(20*time.Millisecond)).Observe("heeds", func(ctx context.Context, _ struct{}) error {
		<-ctx.Done()
		return ctx.Err()
	})
	r.With(within(20*time.Millisecond)).Observe("hangs", func(context.Context, struct{}) error {
		time.Sleep(time.Second)
		return nil
	})
	r.NotFound(sets(func() error { return errors.New("nobody knows it") }))
	return r
}

func TestErrorVar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		haproxy := spoetest.New(t, failing())
		for message, want := range map[string]string{
			"fine":    "txn.partial=true",
			"error":   "txn.error=error: no database",
			"long":    "txn.error=error: " + strings.Repeat("ä", 89) + "…(+222 bytes)",
			"hostile": `txn.error=error: a\r\nX-Admin: 1\xff\x1b[2J\u202e`,
			"panic":   "txn.error=panic",
			"bind":    `txn.error=error: message "bind": argument "ip" is missing; field router_test.ask.IP (netip.Addr) requires it`,
			"too-big": "txn.error=too-big",
			"heeds":   "txn.error=timeout",
			"unknown": "txn.error=error: nobody knows it",
		} {
			assert.Equal(t, want, haproxy.Ask(message).String(), message)
		}

		// The ACK leaves at the deadline, with the reason and the variables of earlier
		// messages; later messages are not handled.
		start := time.Now()
		v := haproxy.AskAll(spoetest.Msg("fine"), spoetest.Msg("hangs"), spoetest.Msg("error"))
		assert.Equal(t, "txn.partial=true txn.error=timeout", v.String())
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		assert.Equal(t, int64(1), haproxy.Agent().Stats().Late)
		time.Sleep(time.Second)
		assert.Equal(t, "txn.partial=true", haproxy.Ask("fine").String())
	})
}

// TestErrorVarOfTheAgent: the agent's own last resort has a reason, too.
func TestErrorVarOfTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := router.New()
		r.ErrorVar(spoe.VarScopeSession, "why")
		r.Observe("hangs", func(context.Context, struct{}) error { time.Sleep(time.Minute); return nil })
		haproxy := spoetest.NewAgent(t, &spoe.Agent{Handler: r, NotifyTimeout: time.Second, Logger: slog.New(slog.DiscardHandler)})
		assert.Equal(t, "sess.why=timeout", haproxy.Ask("hangs").String())
		time.Sleep(time.Minute)
	})
}

// TestErrorVarWithAnother: a handler that has a say of its own about its failure.
func TestErrorVarWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.HandleRaw("own", spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			msg.OnFailure(func(_ error, acts *spoe.Actions) { _ = acts.SetInt(spoe.VarScopeTransaction, "score", 50) })
			return errors.New("no")
		}))
		assert.Equal(t, "txn.error=error: no txn.score=50", spoetest.New(t, r).Ask("own").String())
	})
}
