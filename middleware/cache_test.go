package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters(t)
		var calls atomic.Int64
		h := spoetest.New(t, middleware.Cache(time.Minute, middleware.KeyArgs("ip"), middleware.CacheConfig{MeterProvider: m})(counted(&calls)))
		ask := func(ip string) string {
			return h.Ask("m", spoetest.Arg("id", time.Now().UnixNano()), spoetest.Arg("ip", ip)).String()
		}
		first := "txn.ip=a txn.call=1 unset(txn.old)"
		assert.Equal(t, first, ask("a"))
		assert.Equal(t, "txn.ip=b txn.call=2 unset(txn.old)", ask("b"))
		start := time.Now()
		assert.Equal(t, first, ask("a"))
		assert.Zero(t, time.Since(start))
		time.Sleep(58*time.Second - 1)
		assert.Equal(t, first, ask("a"), "almost too old")
		time.Sleep(time.Second + 1)
		assert.Equal(t, "txn.ip=a txn.call=3 unset(txn.old)", ask("a"))
		assert.Equal(t, map[string]int64{
			"rpc.method=m spop.cache.result=hit": 2, "rpc.method=m spop.cache.result=miss": 3,
		}, m.sums("spop.cache.lookups"))
		assert.EqualValues(t, 3, calls.Load())
	})
}

// TestKeyArgsKeepsItsNames: a key does not change with the slice that it was made of.
func TestKeyArgsKeepsItsNames(t *testing.T) {
	var calls atomic.Int64
	names := []string{"ip"}
	h := spoetest.New(t, middleware.Cache(time.Minute, middleware.KeyArgs(names...))(counted(&calls)))
	names[0] = "id"
	for id := range 2 {
		h.Ask("m", spoetest.Arg("id", id), spoetest.Arg("ip", "a"))
	}
	assert.EqualValues(t, 1, calls.Load())
}

// TestCacheKeepsNoFailure, nor what has no key.
func TestCacheKeepsNoFailure(t *testing.T) {
	calls := 0
	h := middleware.Cache(time.Hour, middleware.KeyFunc(func(b []byte, msg *spoe.Message) []byte {
		if msg.Name == "private" {
			return nil
		}
		return b
	}))(handlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		if calls++; msg.Name == "failing" {
			return errors.Join(acts.SetInt(spoe.VarScopeTransaction, "half", 1), errors.New("boom"))
		}
		return nil
	}))
	for _, name := range []string{"failing", "private", "good"} {
		for range 3 {
			err := h.ServeSPOE(t.Context(), newMessage(t, name), new(spoe.Actions))
			assert.Equal(t, name == "failing", err != nil)
		}
	}
	assert.Equal(t, 3+3+1, calls)
}

// TestCacheKeepsTheHandlersOwn: variables that an outer middleware sets for its message
// reach no other message.
func TestCacheKeepsTheHandlersOwn(t *testing.T) {
	n := int64(0)
	outside := func(next spoe.Handler) spoe.Handler {
		return handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			n++
			if err := acts.SetInt(spoe.VarScopeTransaction, "request", n); err != nil {
				return err
			}
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
	h := spoetest.New(t, spoe.Chain(setInt("score", 90), outside, middleware.Cache(time.Hour, middleware.KeyArgs())))
	assert.Equal(t, "txn.request=1 txn.score=90", h.Ask("m").String())
	assert.Equal(t, "txn.request=2 txn.score=90", h.Ask("m").String())
}

// TestCacheIsBounded: keys without end take MaxBytes at most; a key that is asked for again
// and again stays.
func TestCacheIsBounded(t *testing.T) {
	var calls atomic.Int64
	h := middleware.Cache(time.Hour, middleware.KeyArgs(), middleware.CacheConfig{MaxBytes: 1 << 20})(handlerFunc(
		func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			calls.Add(1)
			return acts.SetInt(spoe.VarScopeTransaction, "score", 1)
		}))
	ask := func(path string) {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("path", path)), new(spoe.Actions)))
	}
	const paths = 4000 // of 1 KB each: a quarter fits at most
	for i := range paths {
		ask(fmt.Sprint(i, strings.Repeat("/", 1000)))
		ask("/popular")
	}
	assert.EqualValues(t, paths+1, calls.Load(), "the popular one is never lost")
	calls.Store(0)
	for i := range paths {
		ask(fmt.Sprint(i, strings.Repeat("/", 1000)))
	}
	assert.Greater(t, calls.Load(), int64(paths*3/4))
	calls.Store(0)
	for range 3 {
		ask(strings.Repeat("/", 1<<17)) // as large as a shard
	}
	assert.EqualValues(t, 3, calls.Load(), "too large to keep")
}

// TestCacheOfDefaultSize: 32 MiB are kept, in entries of a little over 20,000 bytes.
func TestCacheOfDefaultSize(t *testing.T) {
	var calls atomic.Int64
	h := middleware.Cache(time.Hour, middleware.KeyArgs())(handlerFunc(
		func(context.Context, *spoe.Message, *spoe.Actions) error { calls.Add(1); return nil }))
	ask := func(i int) {
		path := fmt.Sprintf("/%08d%s", i, strings.Repeat("/", 20_000-9))
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("path", path)), new(spoe.Actions)))
	}
	const paths = 4000
	for i := range paths {
		ask(i)
	}
	calls.Store(0)
	for i := range paths { // from the newest on, so that no one is lost before it is found
		ask(paths - 1 - i)
	}
	kept := paths - calls.Load()
	assert.Less(t, kept*20_000, int64(32<<20))
	assert.Greater(t, kept*20_000, int64(31<<20))
}

// TestCacheCountsAnswers: the size of an answer is that of its values and its names.
func TestCacheCountsAnswers(t *testing.T) {
	const size, keys, variables = 1 << 20, 400, 100
	name := strings.Repeat("n", 50)
	for what, h := range map[string]handlerFunc{
		"a large value": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			return acts.SetBytes(spoe.VarScopeTransaction, "v", make([]byte, 10_000))
		},
		"many names": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			for i := range variables {
				if err := acts.SetBool(spoe.VarScopeTransaction, fmt.Sprint(name, i), true); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			var calls atomic.Int64
			cached := middleware.Cache(time.Hour, middleware.KeyArgs(), middleware.CacheConfig{MaxBytes: size})(handlerFunc(
				func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
					calls.Add(1)
					return h(ctx, msg, acts)
				}))
			ask := func(i int) {
				require.NoError(t, cached.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("i", i)), new(spoe.Actions)))
			}
			for i := range keys {
				ask(i)
			}
			calls.Store(0)
			for i := range keys { // from the newest on, so that no one is lost before it is found
				ask(keys - 1 - i)
			}
			kept := keys - calls.Load()
			assert.LessOrEqual(t, kept*10_000, int64(size))
			assert.Greater(t, kept*20_000, int64(size)/2)
		})
	}
}

// TestCacheReplaces: an answer that replaces another one of the same key takes its place.
func TestCacheReplaces(t *testing.T) {
	const neighbours, times = 160, 100 // 60 answers fit into a sixteenth of 256 KiB
	calls, again := 0, times
	var h spoe.Handler
	h = middleware.Cache(time.Hour, middleware.KeyArgs(), middleware.CacheConfig{MaxBytes: 256 << 10})(handlerFunc(
		func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			calls++
			if _, ok := msg.Args.Lookup("replaced"); !ok || again == 0 {
				return nil
			}
			again-- // the inner message misses, too, and its answer is kept first
			return h.ServeSPOE(ctx, msg, new(spoe.Actions))
		}))
	ask := func(arg spoetest.Argument) {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", arg), new(spoe.Actions)))
	}
	for i := range neighbours {
		ask(spoetest.Arg("i", i))
	}
	ask(spoetest.Arg("replaced", true))
	require.Equal(t, neighbours+times+1, calls)
	for i := range neighbours {
		ask(spoetest.Arg("i", i))
	}
	ask(spoetest.Arg("replaced", true))
	assert.Equal(t, neighbours+times+1, calls, "all answers are still there")
}

// TestCacheKeepsNoBuffer: a kept answer has copies of the values, not the buffer of the
// handler's actions.
func TestCacheKeepsNoBuffer(t *testing.T) {
	var buffer weak.Pointer[byte]
	h := middleware.Cache(time.Hour, middleware.KeyArgs())(handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		err := acts.SetBytes(spoe.VarScopeTransaction, "v", make([]byte, 1000))
		for act := range acts.All() {
			buffer = weak.Make(&act.Value.Bytes()[0])
		}
		return err
	}))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	runtime.GC()
	assert.Nil(t, buffer.Value())
	runtime.KeepAlive(h)
}

func TestCacheConcurrently(t *testing.T) {
	var calls atomic.Int64
	h := middleware.Cache(time.Microsecond, middleware.KeyArgs(), middleware.CacheConfig{MaxBytes: 64 << 10})(handlerFunc(
		func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			calls.Add(1)
			v, _ := msg.Args.Lookup("n")
			return acts.SetValue(spoe.VarScopeTransaction, "n", v)
		}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 2000 {
				acts := new(spoe.Actions)
				assert.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("n", i%100)), acts))
				for act := range acts.All() {
					n, _ := act.Value.Int()
					assert.EqualValues(t, i%100, n)
				}
			}
		})
	}
	all.Wait()
	assert.NotZero(t, calls.Load())
}

// TestCacheOfALateHandler: its answer came too late for the first caller, and is there for
// the next.
func TestCacheOfALateHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, quiet(spoe.Chain(handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			time.Sleep(time.Second)
			return acts.SetInt(spoe.VarScopeTransaction, "score", 90)
		}), middleware.Timeout(20*time.Millisecond), middleware.Cache(time.Minute, middleware.KeyArgs()))))
		assert.Equal(t, "", h.Ask("m").String())
		time.Sleep(2 * time.Second)
		assert.Equal(t, "txn.score=90", h.Ask("m").String())
	})
}

func ExampleCache() {
	calls := 0
	lookup := spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		calls++
		return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
	})
	handler := spoe.Chain(lookup, middleware.Cache(time.Minute, middleware.KeyArgs("ip")), middleware.Coalesce(middleware.KeyArgs("ip")))

	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "ip-rep", "ip-rep")
	fmt.Println("asked:", calls)
	// Output:
	// ip-rep: sess.ip_score=90
	// ip-rep: sess.ip_score=90
	// asked: 1
}
