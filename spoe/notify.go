package spoe

import (
	"context"
	"runtime/debug"

	"github.com/spoke-go/spoke/codec"
)

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
		j.c.clock.arm(at)
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

func (j *job) setOnFailure(f func(error, *Actions)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.late && !j.failing {
		j.hooks = append(j.hooks, f)
	}
}
