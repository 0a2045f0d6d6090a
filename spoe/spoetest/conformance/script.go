package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// script runs the steps of a case, on one connection at a time. A step that fails
// ends the case, as t.FailNow ends a test.
type script struct {
	ctx context.Context // of the one call of the case
	t   *Target
	c   *spoetest.Client
	err error
	at  string // the step that is tried, for errors
	// atEnd is done when the case is over.
	atEnd []func()
}

// scripted makes a case's Run.
func scripted(f func(s *script)) func(context.Context, *Target) error {
	return func(ctx context.Context, t *Target) error {
		s := &script{ctx: ctx, t: t}
		s.steps(f)
		s.close()
		for _, end := range s.atEnd {
			end()
		}
		return s.err
	}
}

// opened makes a case's Run of steps on an open connection, which then has to end in
// order.
func opened(f func(s *script)) func(context.Context, *Target) error {
	return scripted(func(s *script) {
		s.open()
		f(s)
		s.finished()
	})
}

// stopped is the panic of a step that fails, whose error is in the script.
type stopped struct{}

func (s *script) steps(f func(s *script)) {
	defer func() {
		if r := recover(); r != nil && r != any(stopped{}) {
			panic(r)
		}
	}()
	f(s)
}

func (s *script) close() {
	if s.c != nil {
		_ = s.c.Close() // a case judges the end before it comes here
		s.c = nil
	}
}

// check ends the case with err if that is not nil. The first error counts.
func (s *script) check(err error) {
	if err == nil {
		return
	}
	if s.err == nil && s.at != "" {
		err = fmt.Errorf("%s: %w", s.at, err)
	}
	s.err = cmp.Or(s.err, err)
	panic(stopped{})
}

func (s *script) failf(format string, args ...any) { s.check(fmt.Errorf(format, args...)) }

// try names the next step, and connects again.
func (s *script) try(format string, args ...any) {
	s.at = fmt.Sprintf(format, args...)
	s.connect()
}

// needs skips the case if the agent does not have these messages.
func (s *script) needs(msgs ...spoetest.Message) {
	for _, m := range msgs {
		s.check(s.t.knows(m.Name))
	}
}

func (s *script) connect() {
	s.close()
	c, err := s.t.connect(s.ctx)
	s.check(err)
	s.c = c
}

// greet connects and sends a hello, and no more.
func (s *script) greet(h spoetest.Hello) {
	s.connect()
	s.send(helloFrame(h))
}

// helloFrame is the frame of a hello.
func helloFrame(h spoetest.Hello) codec.Frame { return spoetest.HelloFrame(h.Append(nil)) }

// open connects and does the handshake with DefaultHello, changed by changes.
func (s *script) open(changes ...func(*spoetest.Hello)) codec.AgentHello {
	s.connect()
	return s.shake(changes...)
}

// shake does the handshake on the connection.
func (s *script) shake(changes ...func(*spoetest.Hello)) codec.AgentHello {
	h := spoetest.DefaultHello()
	for _, change := range changes {
		change(&h)
	}
	answer, err := s.c.Handshake(s.ctx, h)
	s.check(err)
	return answer
}

func (s *script) send(frames ...codec.Frame) {
	s.check(s.c.WriteFrames(s.ctx, frames...))
}

func (s *script) raw(b []byte) {
	s.check(s.c.Write(s.ctx, b))
}

// rawLast sends bytes that the agent may refuse before it has read them all.
func (s *script) rawLast(b []byte) {
	_ = s.c.Write(s.ctx, b) // the agent's answer counts
}

// payload encodes messages. It skips the case if the agent does not have one of them.
func (s *script) payload(msgs ...spoetest.Message) []byte {
	s.needs(msgs...)
	b, err := spoetest.Payload(msgs...)
	s.check(err)
	return b
}

// notify sends a NOTIFY.
func (s *script) notify(id spoetest.ID, msgs ...spoetest.Message) {
	s.send(spoetest.NotifyFrame(id, s.payload(msgs...)))
}

// notifyEach sends n NOTIFYs with stream-ids from 0, frame-id 1.
func (s *script) notifyEach(n uint64, msgs ...spoetest.Message) {
	for i := range n {
		s.notify(at(i, 1), msgs...)
	}
}

// ack awaits the ACK of a NOTIFY, and that it is one HAProxy takes whole.
func (s *script) ack(id spoetest.ID) spoetest.Vars {
	a, err := s.c.Ack(s.ctx, id)
	s.check(err)
	v, err := a.Vars()
	s.check(err)
	return v
}

// ask sends messages in one NOTIFY and returns the ACK's variables.
func (s *script) ask(msgs ...spoetest.Message) spoetest.Vars {
	s.needs(msgs...)
	v, err := s.c.AskAll(s.ctx, msgs...)
	s.check(err)
	return v
}

// served checks that the connection is in order: Target.Message is answered.
func (s *script) served() {
	v := s.ask(s.t.message())
	s.check(s.t.expect(v))
}

// servedElsewhere checks that another connection is served.
func (s *script) servedElsewhere() {
	s.check(s.t.probe(s.ctx))
}

// probe is a well-behaved HAProxy that asks once.
func (t *Target) probe(ctx context.Context) error {
	err := scripted(func(s *script) {
		s.open()
		s.served()
		s.finished()
	})(ctx, t)
	if err != nil {
		return fmt.Errorf("a well-behaved connection: %w", err)
	}
	return nil
}

// nothing checks that an ACK has no actions, or none with effect if the agent is configured
// to leave no ACK without an action.
func (s *script) nothing(v spoetest.Vars) {
	if s.t.NoEmptyACK {
		if a := v.Actions(); len(a) != 1 || !a[0].Unset {
			s.failf("the ACK has the actions %q, want one unset-var that has no effect", v)
		}
		return
	}
	if len(v.Actions()) != 0 {
		s.failf("the ACK has the actions %q, want none", v)
	}
}

// want checks an ACK's actions, as Vars.String has them.
func (s *script) want(v spoetest.Vars, actions string) {
	if v.String() != actions {
		s.failf("the ACK has the actions %q, want %q", v, actions)
	}
}

// within checks that f takes no longer than d.
func (s *script) within(d time.Duration, what string, f func()) {
	start := time.Now()
	f()
	if took := time.Since(start); took > d {
		s.failf("%s took %v, want at most %v", what, took, d)
	}
}

// halfClosed sends an EOF and checks that the agent ends the connection, with
// or without a DISCONNECT.
func (s *script) halfClosed() {
	if err := s.c.CloseWrite(); err != nil {
		s.check(skipf("the connection cannot be half closed: %v", err))
	}
	frames, err := s.c.Drain(s.ctx)
	for _, f := range frames {
		if f.Type != codec.FrameAgentDisconnect {
			s.failf("got %v after an EOF in the middle of a frame", f.Type)
		}
	}
	if err != nil {
		s.failf("after an EOF: %w", err)
	}
}

// isReset reports whether err says that the other side has reset or closed the connection.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

func sortCases(cases []Case) {
	slices.SortStableFunc(cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
}

// at returns the ID of a NOTIFY.
func at(stream, frame uint64) spoetest.ID {
	return spoetest.ID{Stream: stream, Frame: frame}
}
