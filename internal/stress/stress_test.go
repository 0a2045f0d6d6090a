// Package stress_test runs random schedules against an agent and holds each ACK
// against its own NOTIFY.
package stress_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type question struct {
	Token string `spoe:"token"`
	Pad   []byte `spoe:"pad"`
}

type answer struct {
	Token string `spoe:"token"`
}

// patience is long enough for a busy machine under the race detector.
const patience = 30 * time.Second

// kinds are the messages, and whether their handlers fail.
var kinds = map[string]bool{"ok": false, "wait": false, "fail": true, "panic": true, "exit": true, "late": true, "overwrite": true}

// kept are contexts that handlers have kept: they must stay ended.
type kept struct {
	mu   sync.Mutex // guards ctxs
	ctxs []context.Context
}

func (k *kept) add(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ctxs) < 1000 {
		k.ctxs = append(k.ctxs, ctx)
	}
}

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
			k.add(ctx)
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
	r.HandleActions("overwrite", func(_ context.Context, _ question, acts *spoe.Actions) error {
		_ = acts.SetString(spoe.VarScopeTransaction, "token", "wrong")
		*acts = spoe.Actions{}
		return errors.New("failing")
	})
	return r
}

// client runs a random schedule on one connection after the other until end.
type client struct {
	t    *testing.T
	rnd  *rand.Rand
	h    *spoetest.Engine
	id   int
	asks int
}

func (c *client) run(end time.Time) {
	for time.Now().Before(end) {
		hello := spoetest.DefaultHello()
		if c.rnd.IntN(2) == 0 {
			hello.Capabilities = "pipelining,async"
		}
		conn := c.h.Dial(hello)
		for range 1 + c.rnd.IntN(20) {
			if !c.burst(conn) {
				break
			}
		}
		switch c.rnd.IntN(3) {
		case 0:
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			_, err := conn.Disconnect(ctx, 0, "")
			cancel()
			assert.NoError(c.t, err)
		case 1: // leaves with NOTIFYs in flight
			_, _ = conn.Notify(context.Background(), spoetest.Msg("wait", spoetest.Arg("token", "left")))
			_ = conn.Reset()
		}
		conn.Close()
	}
}

// burst sends some NOTIFYs and holds their ACKs against them.
func (c *client) burst(conn *spoetest.Client) bool {
	type sent struct{ kind, token string }
	awaited := map[spoetest.ID]sent{}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 1 + c.rnd.IntN(20) {
		c.asks++
		s := sent{c.kind(), fmt.Sprintf("%d-%d", c.id, c.asks)}
		msg := spoetest.Msg(s.kind, spoetest.Arg("token", s.token), spoetest.Arg("pad", make([]byte, c.rnd.IntN(3000))))
		id, err := conn.Notify(ctx, msg)
		if c.rnd.IntN(5) == 0 && err == nil {
			s2 := sent{"ok", s.token + "f"}
			var fid spoetest.ID
			fid, err = conn.NotifyFragments(ctx, 1+c.rnd.IntN(500), spoetest.Msg("ok", spoetest.Arg("token", s2.token)))
			awaited[fid] = s2
		}
		if !assert.NoError(c.t, err) {
			return false
		}
		awaited[id] = s
	}
	for id, s := range awaited {
		ack, err := conn.Ack(ctx, id)
		if !assert.NoError(c.t, err, "%s %s", s.kind, s.token) {
			return false
		}
		vars, err := ack.Vars()
		require.NoError(c.t, err)
		if kinds[s.kind] {
			assert.True(c.t, vars.Has("txn.error"), "%s %s: %v", s.kind, s.token, vars)
			assert.False(c.t, vars.Has("txn.token"), "%s %s: %v", s.kind, s.token, vars)
			continue
		}
		if !vars.Has("txn.error") { // on a busy machine any message can be late
			assert.Equal(c.t, s.token, vars.Str("txn.token"), "%s: %v", s.kind, vars)
		}
	}
	return true
}

func (c *client) kind() string {
	if c.rnd.IntN(10) > 0 {
		return []string{"ok", "ok", "ok", "wait"}[c.rnd.IntN(4)]
	}
	return []string{"fail", "panic", "exit", "late", "overwrite"}[c.rnd.IntN(5)]
}

// TestStress runs for SPOKE_STRESS, 30 s by default, in rounds with agents of their
// own. SPOKE_STRESS_SEED repeats a run's choices.
func TestStress(t *testing.T) {
	length := 30 * time.Second
	if s := os.Getenv("SPOKE_STRESS"); s != "" {
		var err error
		length, err = time.ParseDuration(s)
		require.NoError(t, err, "SPOKE_STRESS is a duration, such as 1h")
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SPOKE_STRESS_SEED"); s != "" {
		_, err := fmt.Sscan(s, &seed)
		require.NoError(t, err)
	}
	t.Logf("SPOKE_STRESS_SEED=%d", seed)
	asks := 0
	for end, round := time.Now().Add(length), uint64(0); time.Now().Before(end) && !t.Failed(); round++ {
		asks += stressRound(t, rand.New(rand.NewPCG(seed, round)), min(time.Until(end), 5*time.Second))
	}
	t.Logf("%d NOTIFYs", asks)
}

func stressRound(t *testing.T, rnd *rand.Rand, length time.Duration) (asks int) {
	var k kept
	a := &spoe.Agent{
		Handler: newRouter(rnd, &k), Logger: slog.New(slog.DiscardHandler),
		MaxInFlight: 1 + rnd.IntN(64), MaxConcurrent: 1 + rnd.IntN(256), MaxBuffered: 1 << 20,
		NoEmptyACK: rnd.IntN(2) == 0,
	}
	h := spoetest.NewAgent(t, a)
	clients := make([]*client, 1+rnd.IntN(8))
	var wg sync.WaitGroup
	for i := range clients {
		clients[i] = &client{t: t, rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0)), h: h, id: i}
		wg.Go(func() { clients[i].run(time.Now().Add(length)) })
	}
	wg.Wait()
	for _, c := range clients {
		asks += c.asks
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	assert.NoError(t, a.Shutdown(ctx))
	s := a.Stats()
	assert.Zero(t, s.InFlight)
	assert.Zero(t, s.Connections)
	for _, ctx := range k.ctxs {
		assert.Error(t, ctx.Err(), "a context that a handler kept is alive")
	}
	return asks
}
