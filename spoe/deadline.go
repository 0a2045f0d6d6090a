package spoe

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

// serveWithin is [Message.ServeWithin]. The deadline of the message's own context is that of
// the ACK; where ctx is another one, next gets a further context below it.
func (j *job) serveWithin(ctx context.Context, after time.Duration, next Handler, msg *Message, acts *Actions) (err error) {
	at := since(j.received) + int64(min(max(after, 0), maxSpan))
	outer := j.ctx.At()
	switch {
	case j.late.Load():
		return timeoutError(after, nil)
	case at >= outer:
		return next.ServeSPOE(ctx, msg, acts)
	}
	j.ctx.SetAt(at)
	j.c.clock.arm(at)
	var own *msgctx.Ctx
	if !j.ctx.Is(ctx) {
		own = msgctx.New(ctx, at)
		defer own.End(context.Canceled)
		defer j.setWithin(j.setWithin(own))
		ctx = own
	}
	returned := false
	defer func() { // a panic passes through here
		late := j.late.Load()
		if !late {
			j.ctx.SetAt(outer)
		}
		if returned && (late || own != nil && own.Err() == context.DeadlineExceeded) {
			err = timeoutError(after, err)
		}
	}()
	err = next.ServeSPOE(ctx, msg, acts)
	returned = true
	return err
}

// setWithin notes the innermost context with a deadline, unless the deadline has
// acknowledged the NOTIFY. It returns the context before it.
func (j *job) setWithin(ctx *msgctx.Ctx) (outer *msgctx.Ctx) {
	j.mu.Lock()
	defer j.mu.Unlock()
	outer = j.within
	if !j.late.Load() {
		j.within = ctx
	}
	return outer
}

// takeLate marks the jobs whose deadline is before the time t as late and returns
// them, and the next deadline.
func (c *conn) takeLate(t int64) (late []*job, next int64) {
	next = never
	c.mu.Lock()
	defer c.mu.Unlock()
	for j := c.jobs.first; j != nil; j = j.next {
		j.mu.Lock()
		if !j.late.Load() {
			if j.ctx != nil {
				j.deadline = j.ctx.At()
			}
			if j.deadline > t {
				next = min(next, j.deadline)
			} else {
				j.late.Store(true)
				late = append(late, j)
			}
		}
		j.mu.Unlock()
	}
	for _, j := range late {
		if c.shared.counters.late.Add(1) > int64(c.shared.maxLate) {
			j.charged = true
		} else {
			c.jobs.remove(j)
		}
	}
	c.acking += len(late)
	c.wakeLocked()
	return late, next
}

// failureGrace is the time that the functions given to OnFailure may take before the
// ACK leaves without their actions.
const failureGrace = 500 * time.Millisecond

// acknowledgeLate sends the ACKs of jobs whose handlers are late. The handlers go on with
// the jobs; the fields read here no longer change.
func (c *conn) acknowledgeLate(late []*job) {
	var plain []*job
	var last []func(error, *Actions) // called where no hook was registered, or where one does not return
	if f, ok := c.agent.Handler.(FailureHandler); ok {
		last = append(last, f.ServeFailure)
	}
	for _, j := range late {
		hooks := j.hooks
		if len(hooks) == 0 || j.failing {
			hooks = last
		}
		if len(hooks) == 0 {
			plain = append(plain, j)
		} else {
			c.acknowledgeHooked(j, hooks, last)
		}
	}
	if len(plain) > 0 {
		c.sendLate(nil, plain...)
	}
}

// acknowledgeHooked sends the ACK of a late job with the actions of the hooks, or after
// failureGrace with those of last.
func (c *conn) acknowledgeHooked(j *job, hooks, last []func(error, *Actions)) {
	var once sync.Once
	send := func(hooks []func(error, *Actions)) {
		var acts Actions
		defer func() { once.Do(func() { c.sendLate(acts.buf, j) }) }() // also when a hook ends its goroutine
		j.callHooks(hooks, j.lateError(), &acts)
	}
	grace := time.AfterFunc(failureGrace, func() { send(last) })
	counted := c.shared.hooks.TryAcquire(1) // not once Run waits for them
	go func() {                             // ends when the hooks return; Run waits for it by agentState.hooks
		if counted {
			defer c.shared.hooks.Release(1)
		}
		defer grace.Stop()
		send(hooks)
	}()
}

// sendLate ends the contexts of late jobs and sends their ACKs, with actions behind the
// committed ones.
func (c *conn) sendLate(actions []byte, late ...*job) {
	for _, j := range late {
		for _, ctx := range []*msgctx.Ctx{j.within, j.ctx} {
			if ctx != nil {
				ctx.End(context.DeadlineExceeded)
			}
		}
		j.count(j.lateError())
	}
	c.mu.Lock()
	for _, j := range late {
		c.acking--
		c.appendAckLocked(j, append(slices.Clip(j.committed), actions...))
	}
	c.wakeLocked()
	c.unlockAndFlush()
}

func (j *job) lateError() error {
	return timeoutError(time.Duration(j.deadline-since(j.received)), nil)
}
