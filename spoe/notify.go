package spoe

import (
	"runtime/debug"

	"github.com/spoke-go/spoke/codec"
)

// message fills in msg for m, with its arguments in args.
func (j *job) message(msg *Message, name string, m *codec.Message, args *Args) {
	*args = newArgs(m.Args)
	haproxy := j.c.haproxy.Load()
	msg.Name, msg.Args = name, args
	msg.streamID, msg.frameID, msg.received = j.streamID, j.frameID, j.received
	msg.engineID, msg.peer = haproxy.engineID, haproxy.peer
	msg.job, msg.shared, msg.hooks = j, j.c.shared, nil
}

// run handles the messages in order.
func (j *job) run() {
	if j.c.agent.Handler == nil {
		j.handlePredecessor()
		return
	}
	if j.unparsed {
		msgs := codec.NewMessages(j.payload)
		for i := 0; msgs.Next(); i++ {
			m := msgs.Message()
			if i > 0 && !j.advance(j.c.shared.names.Get(m.Name)) || !j.one(&m) {
				return
			}
		}
		return
	}
	for i := range j.msgs {
		m := &j.msgs[i]
		if i > 0 && !j.advance(j.c.shared.names.Get(m.Name)) || !j.one(m) {
			return
		}
	}
}

// one calls the handler for the message that the job is at. It returns false if the NOTIFY
// was acknowledged meanwhile.
func (j *job) one(m *codec.Message) bool {
	j.message(&j.msg, j.name, m, &j.args)
	j.acts.truncate(0)
	err := j.call()
	if err == nil && !j.fits(j.acts.buf) {
		err = ErrActionsTooBig
	}
	return j.settle(err)
}

// advance commits the actions of a message and goes on to the next one, which has that name.
// It returns false if the deadline acknowledged the NOTIFY meanwhile.
func (j *job) advance(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.late.Load() {
		return false
	}
	j.commitLocked()
	j.name = name
	j.handle, j.ctx = j.worker.ctxs.Begin(&j.c.ctx, j.lastDeadline())
	return true
}

// call calls the handler; a panic becomes an error.
func (j *job) call() (err error) {
	returned := false
	defer func() {
		if !returned {
			err = j.panicked(recover())
		}
	}()
	err = j.c.agent.Handler.ServeSPOE(j.handle, &j.msg, &j.acts)
	returned = true
	return err
}

// panicked makes an error of the result of recover. Without a value it was runtime.Goexit:
// now only deferred functions run, so the message is settled here.
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
	if !j.late.Load() {
		j.name = name
	}
}

// settle ends the message's context, and replaces the actions of a failed message.
// It returns false if the deadline acknowledged the NOTIFY meanwhile. The actions are committed
// when the next message begins, or after the last one.
func (j *job) settle(err error) bool {
	if j.late.Load() {
		return false
	}
	j.worker.ctxs.End()
	return err == nil || j.settleFailure(err)
}

// settleFailure calls the functions that OnFailure was given, for failureGrace at
// the most: then the deadline acknowledges the NOTIFY without what they add.
func (j *job) settleFailure(err error) (open bool) {
	err = j.readable(err)
	j.mu.Lock()
	if j.late.Load() {
		j.mu.Unlock()
		return false
	}
	j.failing = true
	if len(j.hooks) > 0 {
		j.ctx.SetAt(min(j.ctx.At(), now()+int64(failureGrace)))
	}
	hooks, at := j.hooks, j.ctx.At()
	j.mu.Unlock()
	if len(hooks) > 0 {
		j.c.clock.arm(at)
	}
	j.acts.truncate(0)
	defer func() { // also when a hook ends its goroutine
		j.mu.Lock()
		if open = !j.late.Load(); open {
			j.commitLocked()
			j.failing = false
			j.ctx.SetAt(j.lastDeadline())
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
// can overwrite the Actions it was given, but not what is committed. It needs c.mu or j.mu.
func (j *job) commitLocked() {
	if len(j.committed) == 0 {
		j.committed, j.acts.buf = j.acts.buf, j.committed[:0]
	} else {
		j.committed = append(j.committed, j.acts.buf...)
	}
	j.acts.truncate(0)
	j.hooks = j.hooks[:0]
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
	if !j.late.Load() && !j.failing {
		j.hooks = append(j.hooks, f)
	}
}
