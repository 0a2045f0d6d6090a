package spoe

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// job is one NOTIFY on its way to its ACK. It owns a copy of the payload, so
// that neither the connection's buffer nor another NOTIFY can change what its
// handlers see. Jobs are pooled; one whose handler was late is not used again.
type job struct {
	c                 *conn
	streamID, frameID uint64
	received          time.Time
	payload           []byte
	msg               Message
	args              Args
	acts              Actions
	worker            *worker // that handles it

	next, prev *job // in c.jobs; guarded by c.mu
	queued     *job // the next one in c.batch or c.queue

	mu        sync.Mutex   // guards what follows; taken after c.mu
	deadline  int64        // when the ACK leaves at the latest, since epoch
	name      string       // of the message that is handled
	ctx       *deadlineCtx // the message's
	within    *deadlineCtx // that of the innermost deadline, ctx or one below it
	committed []byte       // actions of the messages that are done
	onFailure func(error, *Actions)
	failing   bool // its failure is being dealt with
	late      bool // acknowledged at its deadline; what it does is dropped
	charged   bool // late, and still counted as in flight
}

var jobs sync.Pool

func getJob(c *conn, streamID, frameID uint64, received time.Time) *job {
	j, _ := jobs.Get().(*job)
	if j == nil {
		j = new(job)
	}
	j.c, j.streamID, j.frameID, j.received = c, streamID, frameID, received
	j.deadline = since(received) + int64(c.eng.limits.notify)
	return j
}

// poison, set by tests, has the payload overwritten when a job ends.
var poison bool

func putJob(j *job) {
	if poison {
		p := j.payload[:cap(j.payload)]
		for i := range p {
			p[i] = 0xdb
		}
	}
	if cap(j.payload) > maxPooled || cap(j.acts.buf) > maxPooled {
		return
	}
	j.c, j.worker, j.ctx, j.within, j.committed, j.onFailure = nil, nil, nil, nil, nil, nil
	j.msg, j.args, j.name = Message{}, Args{}, ""
	j.acts.truncate(0)
	jobs.Put(j)
}

// message makes m a Message, with its arguments in args.
func (j *job) message(m codec.Message, args *Args) Message {
	*args = newArgs(m.Args)
	return Message{
		Name:     j.c.eng.names.get(m.Name),
		Args:     args,
		streamID: j.streamID,
		frameID:  j.frameID,
		engineID: j.c.engineID,
		peer:     j.c.peer,
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
	msgs := codec.NewMessages(j.payload)
	for msgs.Next() {
		j.msg = j.message(msgs.Message(), &j.args)
		if !j.begin(j.msg.Name) || !j.handle() {
			return
		}
	}
}

// begin readies the job for its next message; it returns false if the NOTIFY
// has been acknowledged meanwhile.
func (j *job) begin(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.late {
		return false
	}
	j.name, j.onFailure = name, nil
	j.ctx = j.worker.newContext(&j.c.ctx, j.received.Add(j.c.eng.limits.notify))
	j.within = j.ctx
	return true
}

// handle has one message answered. It returns false if the NOTIFY has been
// acknowledged meanwhile.
func (j *job) handle() bool {
	j.acts.begin()
	err := j.call()
	if err == nil && !j.fits(&j.acts) {
		err = ErrActionsTooBig
	}
	return j.settle(err)
}

// call calls the handler; a panic becomes an error.
func (j *job) call() (err error) {
	returned := false
	defer func() {
		if !returned {
			err = j.panicked(recover())
		}
	}()
	err = j.c.agent.Handler.ServeSPOE(j.ctx, &j.msg, &j.acts)
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

// settle commits the actions of a message, or drops them for those of a
// failure. It returns false if the NOTIFY has been acknowledged meanwhile.
func (j *job) settle(err error) bool {
	j.ctx.end(context.Canceled)
	j.mu.Lock()
	if j.late {
		j.mu.Unlock()
		return false // acknowledgeLate has dealt with it
	}
	onFailure := j.onFailure
	if err == nil {
		j.committed, j.onFailure = j.acts.buf, nil
		j.mu.Unlock()
		return true
	}
	j.failing = true
	j.mu.Unlock()
	j.acts.Reset()
	j.fail(err, onFailure, &j.acts)
	j.mu.Lock()
	j.committed, j.onFailure, j.failing = j.acts.buf, nil, false
	j.mu.Unlock()
	return true
}

// fits tells whether an ACK with these actions is within the agreed frame size.
func (j *job) fits(acts *Actions) bool {
	header := codec.MinFrameLength - 2 + codec.VarintLen(j.streamID) + codec.VarintLen(j.frameID)
	return header+len(acts.buf) <= j.c.maxFrameSize
}

// fail counts and logs a failed message, after onFailure has told HAProxy.
// Errors and hooks are their authors' code, and may panic.
func (j *job) fail(err error, onFailure func(error, *Actions), acts *Actions) {
	err = readableError(err)
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
	if onFailure != nil {
		onFailure(err, acts)
	}
	defer func() {
		if recover() != nil { // the logger is not the agent's either
			ctr.panics.Add(1)
		}
	}()
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
	if j.late {
		return
	}
	before := j.onFailure
	j.onFailure = func(err error, acts *Actions) {
		if before != nil {
			before(err, acts)
		}
		j.callHook(f, err, acts)
	}
}
