package middleware_test

import (
	"bytes"
	"context"
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
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestDetach: the ACK leaves at once; handlers get every message afterwards,
// whole, though its buffer has long been used again.
func TestDetach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		got := map[string]int{}
		h := spoetest.New(t, middleware.Detach(middleware.DetachConfig{Workers: 4})(handlerFunc(
			func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				time.Sleep(time.Second)
				v, _ := msg.Args.Lookup("body")
				mu.Lock()
				defer mu.Unlock()
				got[v.Str()]++
				return acts.SetBool(spoe.VarScopeTransaction, "nowhere", true)
			})))
		start := time.Now()
		want := map[string]int{}
		for i := range 40 {
			body := strings.Repeat(fmt.Sprint(i, " "), 50)
			want[body] = 1
			assert.Equal(t, "", h.Ask("mirror", spoetest.Arg("body", body)).String())
		}
		assert.Zero(t, time.Since(start), "nobody waited")
		time.Sleep(10*time.Second + 1) // 40 messages, 4 at once, a second each
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, want, got)
	})
}

func TestDetachLogsToTheDefaultLogger(t *testing.T) {
	var log lines
	before := slog.Default()
	slog.SetDefault(log.logger())
	defer slog.SetDefault(before)
	h := spoetest.NewAgent(t, quiet(middleware.Detach()(panics)))
	h.Ask("m")
	assert.Eventually(t, func() bool { return strings.Contains(log.String(), "detached message failed") }, 30*time.Second, time.Millisecond)
}

func TestDetachDropsWhatDoesNotFit(t *testing.T) {
	for name, cfg := range map[string]middleware.DetachConfig{
		"by number": {Workers: 2, Queue: 3},
		"by bytes":  {Workers: 2, QueueBytes: 3*1008 + 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, work := newMeters(t), new(sleeps)
				var handled atomic.Int64
				cfg.MeterProvider, cfg.Attributes = m, []attribute.KeyValue{attribute.String("a", "b")}
				h := spoetest.New(t, middleware.Detach(cfg)(handlerFunc(
					func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
						handled.Add(1)
						return work.ServeSPOE(ctx, msg, acts)
					})))
				for range 10 {
					assert.Equal(t, "", h.Ask("m", spoetest.Arg("body", make([]byte, 1000))).String())
				}
				synctest.Wait()
				assert.Equal(t, map[string]int64{"a=b rpc.method=m spop.drop.reason=queue_full": 5}, m.sums(dropped))
				time.Sleep(time.Minute)
				assert.EqualValues(t, 5, handled.Load())
				assert.EqualValues(t, 2, work.most.Load())
				assert.Zero(t, h.Agent().Stats().Errors)
			})
		})
	}
}

// A message that a worker took makes space for another.
func TestDetachQueueHasSpaceAgain(t *testing.T) {
	body := spoetest.Arg("body", make([]byte, 1000))
	size := len(newMessage(t, "m", body).Args.Raw().Raw())
	for name, cfg := range map[string]middleware.DetachConfig{
		"by number": {Workers: 1, Queue: 8},
		"by bytes":  {Workers: 1, QueueBytes: 8 * size},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, next := newMeters(t), make(chan struct{})
				cfg.MeterProvider = m
				h := spoetest.New(t, middleware.Detach(cfg)(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
					<-next
					return nil
				})))
				for range 1 + 8 {
					h.Ask("m", body)
				}
				next <- struct{}{}
				synctest.Wait()
				h.Ask("m", body)
				synctest.Wait()
				assert.Empty(t, m.sums(dropped))
				close(next)
			})
		})
	}
}

// TestDetachWorkersEnd: a worker ends with the queue, and later messages get no more
// workers than the first.
func TestDetachWorkersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := new(sleeps)
		var handled atomic.Int64
		h := spoetest.New(t, middleware.Detach(middleware.DetachConfig{Workers: 1})(handlerFunc(
			func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				handled.Add(1)
				return work.ServeSPOE(ctx, msg, acts)
			})))
		for round := range 3 {
			h.Ask("m")
			h.Ask("m")
			time.Sleep(time.Minute)
			assert.EqualValues(t, 2*(round+1), handled.Load())
		}
		assert.EqualValues(t, 1, work.most.Load())
	})
}

// TestDetachDefaults: 16 workers, and 1024 messages or 64 MiB in the queue.
func TestDetachDefaults(t *testing.T) {
	for name, c := range map[string]struct {
		workers, queued, size int
	}{
		"by number": {workers: 16, queued: 1024},
		"by bytes":  {workers: 1, queued: 4, size: 16 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, work := newMeters(t), new(sleeps)
				cfg := middleware.DetachConfig{MeterProvider: m}
				msg := newMessage(t, "m")
				if c.size > 0 {
					cfg.Workers = c.workers
					few := len(newMessage(t, "m", spoetest.Arg("body", make([]byte, 1<<20))).Args.Raw().Raw()) - 1<<20
					msg = newMessage(t, "m", spoetest.Arg("body", make([]byte, c.size-few)))
				}
				h := middleware.Detach(cfg)(work)
				for range c.workers + c.queued {
					require.NoError(t, h.ServeSPOE(t.Context(), msg, new(spoe.Actions)))
				}
				for range 3 {
					require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("small", true)), new(spoe.Actions)))
				}
				synctest.Wait()
				assert.Equal(t, map[string]int64{"rpc.method=m spop.drop.reason=queue_full": 3}, m.sums(dropped))
				assert.EqualValues(t, c.workers, work.most.Load())
				time.Sleep(5 * time.Minute) // the queue is handled
				assert.Zero(t, work.now.Load())
			})
		})
	}
}

// TestDetachDefaultTimeout: a handler has 30 seconds.
func TestDetachDefaultTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		h := middleware.Detach(middleware.DetachConfig{Logger: slog.New(slog.DiscardHandler)})(handlerFunc(
			func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				start := time.Now()
				err := waits(ctx, msg, acts)
				took = time.Since(start)
				return err
			}))
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 30*time.Second, took)
	})
}

// TestDetachIsWaitedFor by Shutdown, the queue included.
func TestDetachIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled atomic.Int64
		h := spoetest.New(t, middleware.Detach(middleware.DetachConfig{Workers: 1})(handlerFunc(
			func(context.Context, *spoe.Message, *spoe.Actions) error {
				time.Sleep(time.Second)
				handled.Add(1)
				return nil
			})))
		for range 5 {
			h.Ask("m")
		}
		h.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, h.Agent().Shutdown(ctx))
		assert.EqualValues(t, 5, handled.Load())
	})
}

// TestDetachEndsWhenShutdownGivesUp: a handler that still runs sees its context end.
func TestDetachEndsWhenShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var canceled atomic.Int64
		agent := quiet(middleware.Detach(middleware.DetachConfig{Workers: 1, Logger: slog.New(slog.DiscardHandler)})(handlerFunc(
			func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				err := waits(ctx, msg, acts)
				canceled.Add(1)
				return err
			})))
		h := spoetest.NewAgent(t, agent)
		for range 5 {
			h.Ask("m")
		}
		h.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.Error(t, agent.Shutdown(ctx))
		synctest.Wait()
		assert.EqualValues(t, 5, canceled.Load())
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// TestDetachContext: it has the message's values, not its end, and Timeout.
func TestDetachContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var span trace.SpanContext
		var took time.Duration
		spans := newTracer(t)
		h := spoetest.New(t, spoe.Chain(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			span = trace.SpanContextFromContext(ctx)
			start := time.Now()
			err := waits(ctx, msg, acts)
			took = time.Since(start)
			return err
		}), middleware.Trace(middleware.TraceConfig{TracerProvider: spans}), middleware.Timeout(time.Millisecond),
			middleware.Detach(middleware.DetachConfig{Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)})))
		h.Ask("m")
		h.Close() // which ends the message's own context
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, spans.one().SpanContext.SpanID(), span.SpanID())
		assert.Equal(t, 5*time.Second, took)
	})
}

// TestDetachContextEnds: a handler's context ends when the handler returns, so that
// goroutines which the handler started with it end, too.
func TestDetachContextEnds(t *testing.T) {
	ended := make(chan struct{})
	h := middleware.Detach(middleware.DetachConfig{Timeout: time.Hour})(handlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
		context.AfterFunc(ctx, func() { close(ended) })
		return nil
	}))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	<-ended
}

// TestDetachKeepsNoMessage: the queue holds no message after its handler returned, even
// while later messages wait.
func TestDetachKeepsNoMessage(t *testing.T) {
	handled, next, all := make(chan weak.Pointer[byte]), make(chan struct{}), sync.WaitGroup{}
	all.Add(8)
	h := middleware.Detach(middleware.DetachConfig{Workers: 1})(handlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
		defer all.Done()
		handled <- weak.Make(&msg.Args.Raw().Raw()[0])
		<-next
		return nil
	}))
	for range 8 {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("body", make([]byte, 1000))), new(spoe.Actions)))
	}
	<-handled // which no queue held
	next <- struct{}{}
	queued := <-handled
	next <- struct{}{}
	<-handled
	runtime.GC()
	assert.Nil(t, queued.Value())
	close(next)
	for range 5 {
		<-handled
	}
	all.Wait()
}

// TestDetachSurvives panics and worse; the queue goes on.
func TestDetachSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var handled atomic.Int64
		h := spoetest.New(t, middleware.Detach(middleware.DetachConfig{
			Workers: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})(byName{
			"panic": panics,
			"exit": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				time.Sleep(time.Second)
				runtime.Goexit()
				return nil
			}),
			"ok": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				handled.Add(1)
				return nil
			}),
		}))
		for range 3 {
			h.AskAll(spoetest.Msg("exit"), spoetest.Msg("panic"), spoetest.Msg("ok"))
		}
		time.Sleep(time.Minute)
		assert.EqualValues(t, 3, handled.Load())
		assert.Equal(t, 3, strings.Count(log.String(), `msg="detached message failed" message=panic`))
		assert.Contains(t, log.String(), "stack=")
	})
}

func ExampleDetach() {
	var mirrored sync.WaitGroup
	mirrored.Add(2)
	handler := middleware.Detach()(spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
		defer mirrored.Done()
		time.Sleep(10 * time.Millisecond) // HAProxy does not wait for this
		return nil
	}))

	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "mirror", "mirror")
	mirrored.Wait() // Run waited for them already
	// Output:
	// mirror:
	// mirror:
}
