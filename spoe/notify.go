package spoe

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// job is one NOTIFY on its way to its ACK. It owns a copy of the payload, so that neither
// the connection's buffer nor another NOTIFY can change what its handlers see. Jobs are
// pooled, except a job whose handler was late.
type job struct {
	c                 *conn
	streamID, frameID uint64
	received          time.Time
	payload           []byte
	msgs              []codec.Message // the first ones of payload
	unparsed          bool            // there are more
	msg               Message
	args              Args
	acts              Actions
	worker            *worker // that handles it
	held              bool    // the payload has been counted in c.held already

	next, prev *job // in c.jobs; guarded by c.mu
	queued     *job // the next one in c.batch or c.queue

	mu        sync.Mutex              // guards what follows; taken after c.mu
	deadline  int64                   // when the ACK leaves at the latest, since epoch
	name      string                  // of the message that is handled
	ctx       *msgState               // the message's
	within    *deadlineCtx            // the context of the innermost deadline, ctx or one below it
	committed []byte                  // actions of the messages that are done
	hooks     []func(error, *Actions) // of OnFailure
	failing   bool                    // its failure is being dealt with
	pending   bool                    // a message waits for its handler, or is in it
	late      bool                    // acknowledged at its deadline; later actions are dropped
	charged   bool                    // late, and still counted as in flight
}

// jobs has jobs to use again, in chains by job.queued: a Get and a Put for each
// NOTIFY were a seventh of what the agent itself costs.
var jobs sync.Pool

// jobChain is how many jobs a worker gathers for the pool.
const jobChain = 32

func (c *conn) getJob(streamID, frameID uint64, received time.Time) *job {
	j := c.spare
	if j == nil {
		j, _ = jobs.Get().(*job)
	}
	if j == nil {
		j = new(job)
	}
	c.spare, j.queued = j.queued, nil
	j.c, j.streamID, j.frameID, j.received = c, streamID, frameID, received
	j.deadline = since(received) + int64(c.eng.limits.notify)
	j.pending = true
	return j
}

// smallPayload is the capacity that a job keeps for whatever payload comes next.
const smallPayload = 4 << 10

// copyPayload gives the job a payload of its own. It does not hold a short one in
// the memory of a long one: the budget counts what comes, not what it is kept in.
func (j *job) copyPayload(b []byte) {
	if n := cap(j.payload); n > smallPayload && n > 2*len(b) {
		j.payload = nil
	}
	j.payload = append(j.payload[:0], b...)
}

// poison, set by tests, has the payload overwritten when a job ends.
var poison bool

// putJob has j used again, by way of a chain of the worker's, or of the pool where
// w is nil.
func (w *worker) putJob(j *job) {
	if poison {
		p := j.payload[:cap(j.payload)]
		for i := range p {
			p[i] = 0xdb
		}
	}
	clear(j.msgs)
	j.msgs = j.msgs[:0]
	if cap(j.payload) > maxPooled || cap(j.acts.buf) > maxPooled || cap(j.committed) > maxPooled {
		return
	}
	j.ctx = j.ctx.release()
	j.c, j.worker, j.within, j.held = nil, nil, nil, false
	j.committed = j.committed[:0]
	clear(j.hooks[:cap(j.hooks)])
	j.hooks = j.hooks[:0]
	j.msg, j.args, j.name = Message{}, Args{}, ""
	j.acts.truncate(0)
	if w == nil {
		jobs.Put(j)
		return
	}
	j.queued, w.spare = w.spare, j
	if w.spares++; w.spares == jobChain {
		w.giveJobs()
	}
}

// dropJob has a job used again that no worker had.
func dropJob(j *job) { (*worker)(nil).putJob(j) }

// giveJobs gives the worker's chain to the pool.
func (w *worker) giveJobs() {
	if w.spare != nil {
		jobs.Put(w.spare)
		w.spare, w.spares = nil, 0
	}
}

// giveJobs gives the rest of the reader's chain to the pool.
func (c *conn) giveJobs() {
	if c.spare != nil {
		jobs.Put(c.spare)
		c.spare = nil
	}
}

// message makes m a Message, with its arguments in args.
func (j *job) message(m *codec.Message, args *Args) Message {
	*args = newArgs(m.Args)
	haproxy := j.c.haproxy.Load()
	return Message{
		Name:     j.c.eng.names.get(m.Name),
		Args:     args,
		streamID: j.streamID,
		frameID:  j.frameID,
		engineID: haproxy.engineID,
		peer:     haproxy.peer,
		received: j.received,
		job:      j,
		eng:      j.c.eng,
	}
}

// run handles the messages in order.
func (j *job) run() {
	if j.c.agent.Handler == nil {
		j.handlePredecessor()
		return
	}
	if j.unparsed {
		for msgs := codec.NewMessages(j.payload); msgs.Next(); {
			m := msgs.Message()
			if !j.one(&m) {
				return
			}
		}
		return
	}
	for i := range j.msgs {
		if !j.one(&j.msgs[i]) {
			return
		}
	}
}

// one calls the handler for one message. It returns false if the NOTIFY has been acknowledged
// meanwhile.
func (j *job) one(m *codec.Message) bool {
	j.msg = j.message(m, &j.args)
	ctx := j.begin(j.msg.Name)
	return ctx != nil && j.handle(ctx)
}

// begin readies the job for its next message and returns the message's context,
// or nil if the NOTIFY has been acknowledged meanwhile.
func (j *job) begin(name string) *msgCtx {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.late {
		return nil
	}
	j.name, j.hooks, j.pending = name, j.hooks[:0], true
	ctx := j.worker.newCtx(j, since(j.received)+int64(j.c.eng.limits.notify))
	j.within = &j.ctx.deadlineCtx
	return ctx
}

// handle calls the handler for one message. It returns false if the NOTIFY has
// been acknowledged meanwhile.
func (j *job) handle(ctx *msgCtx) bool {
	j.acts.truncate(0)
	err := j.call(ctx)
	if err == nil && !j.fits(j.acts.buf) {
		err = ErrActionsTooBig
	}
	return j.settle(err)
}

// call calls the handler; a panic becomes an error.
func (j *job) call(ctx *msgCtx) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = j.panicked(recover())
		}
	}()
	err = j.c.agent.Handler.ServeSPOE(ctx, &j.msg, &j.acts)
	returned = true
	return err
}

// panicked makes an error of what recover has returned. Without a value it was
// runtime.Goexit: only deferred functions run from here on, and so the message
// is settled now.
func (j *job) panicked(value any) error {
	err := &PanicError{Value: value, Stack: debug.Stack()}
	if value == nil {
		j.settle(err)
	}
	return err
}

// rename notes which message is handled, for the log.
func (j *job) rename(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.late {
		j.name = name
	}
}

// settle commits the actions of a message, or those of its failure. It returns
// false if the NOTIFY has been acknowledged meanwhile.
func (j *job) settle(err error) bool {
	j.ctx.end(context.Canceled)
	if err != nil {
		return j.settleFailure(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.late {
		return false // its deadline has acknowledged it
	}
	j.commitLocked(&j.acts)
	return true
}

// settleFailure calls the functions that OnFailure was given, for failureGrace at
// the most: then the deadline acknowledges the NOTIFY without what they add.
func (j *job) settleFailure(err error) (open bool) {
	err = j.readable(err)
	j.mu.Lock()
	if j.late {
		j.mu.Unlock()
		return false
	}
	j.failing = true
	if len(j.hooks) > 0 {
		j.deadline = min(j.deadline, now()+int64(failureGrace))
	}
	hooks, at := j.hooks, j.deadline
	j.mu.Unlock()
	if len(hooks) > 0 {
		j.c.deadlines.arm(at)
	}
	j.acts.truncate(0)
	defer func() { // also when a hook ends its goroutine
		j.mu.Lock()
		if open = !j.late; open {
			j.commitLocked(&j.acts)
			j.failing, j.deadline = false, since(j.received)+int64(j.c.eng.limits.notify)
		}
		j.mu.Unlock()
		j.count(err)
	}()
	j.callHooks(hooks, err, &j.acts)
	return true
}

// readable is readableError. A method of err that ends the goroutine settles the message
// as a failure all the same, on the way out.
func (j *job) readable(err error) error {
	returned := false
	defer func() {
		if !returned {
			j.settleFailure(errExits)
		}
	}()
	err = readableError(err)
	returned = true
	return err
}

// commitLocked moves the actions of a message to those of the NOTIFY. A handler
// can overwrite the Actions it was given, but not what is committed.
func (j *job) commitLocked(acts *Actions) {
	if len(j.committed) == 0 {
		j.committed, acts.buf = acts.buf, j.committed[:0]
	} else {
		j.committed = append(j.committed, acts.buf...)
	}
	acts.truncate(0)
	j.hooks, j.pending = j.hooks[:0], false
}

// fits reports whether an ACK with the committed actions and these is within the
// agreed frame size.
func (j *job) fits(acts []byte) bool {
	header := codec.MinFrameLength - 2 + codec.VarintLen(j.streamID) + codec.VarintLen(j.frameID)
	return header+len(j.committed)+len(acts) <= j.c.maxFrameSize
}

// count counts and logs a failed message.
func (j *job) count(err error) {
	ctr := &j.c.eng.counters
	kind, p := classify(err)
	switch kind {
	case failedPanic:
		ctr.panics.Add(1)
	case failedTimeout:
		ctr.timeouts.Add(1)
	case failedTooBig:
		ctr.droppedActions.Add(1)
	default:
		ctr.errors.Add(1)
	}
	j.logFailure(err, p)
}

// failure is a kind of failure that is counted apart.
type failure int

const (
	failedError failure = iota
	failedPanic
	failedTimeout
	failedTooBig
)

// classify returns the kind of err, and the panic if it was one.
func classify(err error) (failure, *PanicError) {
	var p *PanicError
	switch {
	case errors.As(err, &p):
		return failedPanic, p
	case errors.Is(err, ErrTimeout):
		return failedTimeout, nil
	case errors.Is(err, ErrActionsTooBig):
		return failedTooBig, nil
	}
	return failedError, nil
}

func (j *job) setOnFailure(f func(error, *Actions)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.late && !j.failing {
		j.hooks = append(j.hooks, f)
	}
}
