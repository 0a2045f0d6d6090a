package spoe

import (
	"context"
	"slices"
	"sync"
	"time"
)

// serveWithin is [Message.ServeWithin].
func (j *job) serveWithin(ctx context.Context, after time.Duration, next Handler, msg *Message, acts *Actions) (err error) {
	at := since(j.received) + int64(min(max(after, 0), maxSpan))
	j.mu.Lock()
	outer, outerCtx := j.deadline, j.within
	if late := j.late; late || at >= outer {
		j.mu.Unlock()
		if late {
			return timeoutError(after, nil)
		}
		return next.ServeSPOE(ctx, msg, acts)
	}
	within, before := outerCtx, int64(0)
	if within.is(ctx) {
		before = within.deadline.Swap(at) // no deadline lies between: no other is needed
	} else {
		within = newContext(ctx, at)
	}
	j.deadline, j.within = at, within
	j.mu.Unlock()
	j.c.clock.arm(at)

	returned := false
	defer func() { // a panic passes through here
		j.mu.Lock()
		late := j.late
		if !late {
			j.deadline, j.within = outer, outerCtx
		}
		j.mu.Unlock()
		if returned && (late || within.Err() == context.DeadlineExceeded) {
			err = timeoutError(after, err)
		}
		switch {
		case within != outerCtx:
			within.end(context.Canceled)
		case !late:
			within.deadline.Store(before)
		}
	}()
	if within != outerCtx {
		ctx = within
	}
	err = next.ServeSPOE(ctx, msg, acts)
	returned = true
	return err
}

// takeLate marks the jobs whose deadline has passed at the time t as late and returns
// them, and the next deadline.
func (c *conn) takeLate(t int64) (late []*job, next int64) {
	next = never
	c.mu.Lock()
	defer c.mu.Unlock()
	for j := c.jobs.first; j != nil; j = j.next {
		j.mu.Lock()
		switch {
		case j.late:
		case j.deadline > t:
			next = min(next, j.deadline)
		default:
			j.late = true
			late = append(late, j)
		}
		j.mu.Unlock()
	}
	for _, j := range late {
		if c.eng.counters.late.Add(1) > int64(c.eng.maxLate) {
			j.charged = true
		} else {
			c.jobs.remove(j)
		}
	}
	c.acking += len(late)
	c.wakeLocked()
	return late, next
}

// failureGrace is how long the functions given to OnFailure may take before the ACK leaves
// without their actions.
const failureGrace = 100 * time.Millisecond

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
		if len(hooks) == 0 || !j.pending {
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
	c.eng.hooks.add()
	go func() { // ends when the hooks return; Run waits for it by engine.hooks
		defer c.eng.hooks.done()
		defer grace.Stop()
		send(hooks)
	}()
}

// sendLate ends the contexts of late jobs and sends their ACKs, with actions behind the
// committed ones.
func (c *conn) sendLate(actions []byte, late ...*job) {
	for _, j := range late {
		if j.within != nil { // it has begun
			j.within.end(context.DeadlineExceeded)
			j.ctx.end(context.DeadlineExceeded)
		}
	}
	c.mu.Lock()
	for _, j := range late {
		c.acking--
		c.appendAckLocked(j, append(slices.Clip(j.committed), actions...))
	}
	mine := c.becomeFlusherLocked()
	c.wakeLocked()
	c.mu.Unlock()
	for _, j := range late {
		j.count(j.lateError())
	}
	if mine {
		c.flush()
	}
}

func (j *job) lateError() error {
	return timeoutError(time.Duration(j.deadline-since(j.received)), nil)
}
