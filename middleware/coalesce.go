package middleware

import (
	"context"
	"sync"

	"github.com/spoke-go/spoke/spoe"
)

// CoalesceConfig configures [CoalesceWith]. The zero CoalesceConfig is that of
// Coalesce().
type CoalesceConfig struct {
	// Key tells which messages ask the same. Default: those with the same name
	// and the same arguments; see [KeyArgs].
	Key Key
}

// Coalesce has messages of one name that are alike in the arguments of these
// names, or in all where none is named, answered once; see [CoalesceWith].
func Coalesce(args ...string) spoe.Middleware {
	return CoalesceWith(CoalesceConfig{Key: KeyArgs(args...)})
}

// CoalesceWith has a message that asks what another one is asking already wait
// for that one's answer, and get a copy of it; a failure too is that of all. It
// is for handlers that ask a slow service, and for what a flood asks: thousand
// requests of one address become one question.
//
// The handler runs on its own, with a copy of the first message and the values
// of its context. A message whose context ends stops waiting, whichever it is,
// and the others go on; when the last one has, the handler's context ends. So
// put [Timeout] outside: inside there is nobody whom it could acknowledge.
//
// It is not x/sync's singleflight: there a panic ends the program, nothing ends
// when nobody waits any more, and no Shutdown waits for what runs.
func CoalesceWith(cfg CoalesceConfig) spoe.Middleware {
	key := cfg.Key
	if key == nil {
		key = KeyArgs()
	}
	return func(next spoe.Handler) spoe.Handler {
		c := &coalescing{key: key, next: Recover()(next), flights: make(map[string]*flight)}
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			f := c.join(ctx, msg)
			if f == nil {
				return next.ServeSPOE(ctx, msg, acts)
			}
			select {
			case <-f.done:
				if f.err != nil {
					return f.err
				}
				return f.answer.give(acts)
			case <-ctx.Done():
				c.leave(f)
				return ctx.Err()
			}
		})
	}
}

type coalescing struct {
	key  Key
	next spoe.Handler

	mu      sync.Mutex // guards flights, and the waiting of each
	flights map[string]*flight
}

// flight is a question that is being asked.
type flight struct {
	key     string
	waiting int
	cancel  context.CancelFunc

	done   chan struct{} // closed when what follows is set
	answer answer
	err    error
}

// join returns the flight that answers msg, for which it starts one if there is
// none; nil if msg has no key.
func (c *coalescing) join(ctx context.Context, msg *spoe.Message) *flight {
	buf := keyOf(c.key, msg)
	defer buf.put()
	if buf.key == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[string(buf.key)]
	if f == nil {
		f = &flight{key: string(buf.key), done: make(chan struct{})}
		c.flights[f.key] = f
		c.startLocked(ctx, f, msg.Clone())
	}
	f.waiting++
	return f
}

// startLocked has msg handled. The agent's Shutdown waits for that.
func (c *coalescing) startLocked(ctx context.Context, f *flight, msg *spoe.Message) {
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	msg.Go(func(task context.Context) {
		defer context.AfterFunc(task, f.cancel)()
		defer c.finish(f)
		f.err = &spoe.PanicError{} // a runtime.Goexit leaves it so
		var acts spoe.Actions
		if f.err = c.next.ServeSPOE(ctx, msg, &acts); f.err == nil {
			f.answer = keep(&acts, 0)
		}
	})
}

func (c *coalescing) finish(f *flight) {
	f.cancel()
	c.forget(f)
	close(f.done)
}

// leave ends one's waiting for f, and f itself if nobody else waits: who comes
// then asks anew.
func (c *coalescing) leave(f *flight) {
	c.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last {
		c.forgetLocked(f)
	}
	c.mu.Unlock()
	if last {
		f.cancel()
	}
}

func (c *coalescing) forget(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetLocked(f)
}

func (c *coalescing) forgetLocked(f *flight) {
	if c.flights[f.key] == f {
		delete(c.flights, f.key)
	}
}
