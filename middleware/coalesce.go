package middleware

import (
	"context"
	"sync"

	"github.com/spoke-go/spoke/spoe"
)

// Coalesce lets messages with the same key that are handled at the same time share
// one call of the handler, and each gets a copy of its answer, or its failure:
//
//	middleware.Coalesce(middleware.KeyArgs("ip"))
//
// It is for handlers that ask a slow service: a thousand requests of one address
// at once become one question.
//
// The handler runs in a separate goroutine, with a copy of the first message and the values
// of its context. A message whose context ends stops waiting, even if it was the first, and
// the others go on; when the last one stops waiting, the handler's context ends. Put
// [Timeout] outside: inside, it has no ACK to send. Each message that fails calls the
// functions that the handler gave to OnFailure.
//
// It does not use x/sync's singleflight. There a panic ends the program, a call continues
// when no caller waits for it, and Shutdown cannot wait for it.
func Coalesce(key Key) spoe.Middleware {
	key.mustBeSet("Coalesce")
	return func(next spoe.Handler) spoe.Handler {
		c := &coalescing{key: key, direct: next, next: Recover()(next), flights: make(map[string]*flight)}
		return &keyed{HandlerFunc: c.serve, key: key}
	}
}

type coalescing struct {
	key    Key
	direct spoe.Handler // for messages without a key
	next   spoe.Handler // the same, with panics as errors

	mu      sync.Mutex // guards flights, and the waiting of each
	flights map[string]*flight
}

func (c *coalescing) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	f := c.join(ctx, msg)
	if f == nil {
		return c.direct.ServeSPOE(ctx, msg, acts)
	}
	msg.OnFailure(func(err error, acts *spoe.Actions) { callFailureHook(f.msg, err, acts) })
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
}

// flight is one call of the handler that several messages may wait for.
type flight struct {
	key     string
	msg     *spoe.Message // a copy of the first
	waiting int
	cancel  context.CancelFunc

	done   chan struct{} // closed when answer and err are set
	answer answer
	err    error
}

// join returns the flight that answers msg, and starts one if there is none. It
// returns nil if msg has no key.
func (c *coalescing) join(ctx context.Context, msg *spoe.Message) *flight {
	buf := c.key.buffer(msg)
	defer buf.put()
	if buf.key == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[string(buf.key)]
	if f == nil {
		f = &flight{key: string(buf.key), msg: msg.Clone(), done: make(chan struct{})}
		c.flights[f.key] = f
		c.startLocked(ctx, f)
	}
	f.waiting++
	return f
}

// startLocked calls the handler in a goroutine. The agent's Shutdown waits for it.
func (c *coalescing) startLocked(ctx context.Context, f *flight) {
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.msg.Go(func(task context.Context) {
		defer context.AfterFunc(task, f.cancel)()
		defer c.finish(f)
		f.err = &spoe.PanicError{} // stays after a runtime.Goexit
		var acts spoe.Actions
		if f.err = c.next.ServeSPOE(ctx, f.msg, &acts); f.err == nil {
			f.answer = keep(&acts)
		}
	})
}

func (c *coalescing) finish(f *flight) {
	f.cancel()
	c.forget(f)
	close(f.done)
}

// leave notes that a message stops waiting for f. After the last one f ends, and the next
// message with this key calls the handler again.
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
