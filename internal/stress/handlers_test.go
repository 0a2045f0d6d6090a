package stress_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

type question struct {
	Token string `spoe:"token"`
	Pad   []byte `spoe:"pad"`
}

type answer struct {
	Token string `spoe:"token"`
}

// outcome is the content of the ACK for a kind of message.
type outcome int

const (
	answers  outcome = iota // the message's token
	fails                   // the variable of ErrorVar, and nothing of the handler's
	detached                // nothing
)

// kinds are the messages.
var kinds = map[string]outcome{
	"ok": answers, "wait": answers, "late": answers,
	"fail": fails, "panic": fails, "exit": fails, "overwrite": fails, "unreadable": fails,
	"detached": detached,
}

// kept has the values that handlers kept: contexts must stay ended, and bound
// values must stay unchanged.
type kept struct {
	mu        sync.Mutex // guards what follows
	ctxs      []context.Context
	questions []question

	detached atomic.Int64 // messages that were handled behind their ACK
}

func (k *kept) add(ctx context.Context, q question) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ctxs) < 1000 {
		k.ctxs = append(k.ctxs, ctx)
		k.questions = append(k.questions, q)
	}
}

// check is called when the agent ends.
func (k *kept) check(t *testing.T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, ctx := range k.ctxs {
		assert.Error(t, ctx.Err(), "a context that a handler kept is alive")
		q := k.questions[i]
		assert.Equal(t, string(padOf(q.Token, len(q.Pad))), string(q.Pad), "a value that a handler kept has changed")
	}
}

// padOf returns n bytes that identify their token.
func padOf(token string, n int) []byte {
	return bytes.Repeat([]byte(token+"."), n/(len(token)+1)+1)[:n]
}

// unreadable is an error whose methods panic.
type unreadable struct{ err error }

func (e *unreadable) Error() string { return e.err.Error() }

// newRouter returns a router with the middlewares in a random order.
func newRouter(rnd *rand.Rand, k *kept) *router.Router {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	mws := []spoe.Middleware{
		middleware.Recover(), middleware.Timeout(100 * time.Millisecond), middleware.Trace(), middleware.Metrics(),
		middleware.Log(middleware.LogConfig{Logger: quiet}), middleware.Limit(1 << 20),
		middleware.Cache(time.Minute, middleware.KeyArgs("token")), middleware.Coalesce(middleware.KeyArgs("token")),
	}
	rnd.Shuffle(len(mws), func(i, j int) { mws[i], mws[j] = mws[j], mws[i] })
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	r.Use(mws...)
	answering := func(wait time.Duration) func(context.Context, question) (answer, error) {
		return func(ctx context.Context, q question) (answer, error) {
			k.add(ctx, q)
			time.Sleep(wait)
			return answer{q.Token}, nil
		}
	}
	failing := func(f func()) func(context.Context, question) (answer, error) {
		return func(_ context.Context, q question) (answer, error) {
			f()
			return answer{"wrong"}, errors.New("failing")
		}
	}
	r.Handle("ok", answering(0))
	r.Handle("wait", answering(time.Millisecond))
	r.Handle("late", answering(300*time.Millisecond))
	r.Handle("fail", failing(func() {}))
	r.Handle("panic", failing(func() { panic("as asked") }))
	r.Handle("exit", failing(runtime.Goexit))
	r.Handle("unreadable", func(context.Context, question) (answer, error) { return answer{"wrong"}, (*unreadable)(nil) })
	r.HandleActions("overwrite", func(_ context.Context, _ question, acts *spoe.Actions) error {
		_ = acts.SetString(spoe.VarScopeTransaction, "token", "wrong")
		*acts = spoe.Actions{}
		return errors.New("failing")
	})
	behind := middleware.Detach(middleware.DetachConfig{Logger: quiet, Queue: 1 << 20})
	r.With(behind).HandleActions("detached", func(_ context.Context, q question, acts *spoe.Actions) error {
		if strings.HasPrefix(q.Token, "detached-") {
			k.detached.Add(1)
		}
		return acts.SetString(spoe.VarScopeTransaction, "token", "wrong")
	})
	return r
}
