package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func shutdownCases() []Case {
	return []Case{
		{"shutdown/idle", rowShutdown, "§3.2.9", scripted(func(s *script) {
			shutdown := s.spare()
			s.open()
			s.served()
			done := shutdown()
			s.refused(codec.StatusNormal)
			s.awaitEnd(done)
		})},
		{"shutdown/in-flight", rowShutdown, "§3.2.9", scripted(func(s *script) {
			shutdown := s.spare()
			s.open()
			for i := range uint64(20) {
				s.notify(at(i, 1), spoetest.Msg(MessageSleep, spoetest.Arg("ms", 50*int(i))))
			}
			s.check(sleep.For(s.ctx, s.t.settle()))
			done := shutdown()
			frames := s.drained(nil)
			if len(frames) != 21 {
				s.failf("%d ACKs before the AGENT-DISCONNECT, want 20", len(frames)-1)
			}
			s.awaitEnd(done)
		})},
		{"shutdown/busy", rowShutdown, "§3.2.9", scripted(func(s *script) {
			// A connection that is never quiet goes on being served.
			shutdown := s.spare()
			s.open()
			s.served()
			done := shutdown()
			// The agent's time since its last frame is at most that from one NOTIFY
			// to the next.
			quiet := time.Duration(0)
			last := time.Now()
			for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
				id, err := s.c.Notify(s.ctx, s.t.message())
				now := time.Now()
				quiet, last = max(quiet, now.Sub(last)), now
				if err == nil {
					_, err = s.c.Ack(s.ctx, id)
				}
				if err != nil && quiet > 20*time.Millisecond {
					return // this process was too slow to know
				}
				s.check(err)
			}
			s.refused(codec.StatusNormal)
			s.awaitEnd(done)
		})},
		{"shutdown/half-a-frame", rowShutdown, "§3.2.9", scripted(func(s *script) {
			// A NOTIFY that has begun to arrive is read to its end and answered.
			shutdown := s.spare()
			s.open()
			s.served()
			whole := codec.AppendFrame(nil, spoetest.NotifyFrame(at(7, 7), s.payload(s.t.message())))
			s.raw(whole[:len(whole)/2])
			s.check(sleep.For(s.ctx, s.t.settle()))
			done := shutdown()
			s.check(sleep.For(s.ctx, s.t.settle()))
			s.raw(whole[len(whole)/2:])
			s.ack(at(7, 7))
			s.refused(codec.StatusNormal)
			s.awaitEnd(done)
		})},
		{"shutdown/refuses-connections-afterwards", rowShutdown, "§3.2.9", scripted(func(s *script) {
			s.awaitEnd(s.spare()())
			c, err := s.t.connect(s.ctx)
			if err == nil {
				_, err = c.Handshake(s.ctx, spoetest.DefaultHello())
				_ = c.Close() // no connection was agreed on
				if err == nil || !(errors.Is(err, io.EOF) || isReset(err)) {
					s.failf("a connection after the shutdown: %v, want it refused or closed", err)
				}
			}
		})},
	}
}

// spare runs the case against an agent of its own, and returns the func that shuts
// that down. The agent is shut down in any case.
func (s *script) spare() (shutdown func() <-chan error) {
	if s.t.Spare == nil {
		s.check(skipf("Target.Spare is not set"))
	}
	t, stop, err := s.t.Spare(s.ctx)
	s.check(err)
	s.t = t
	done := make(chan error, 1)
	started := false
	shutdown = func() <-chan error {
		if !started {
			started = true
			ctx := s.ctx
			go func() { // ends with stop, which ctx bounds
				ctx, cancel := context.WithTimeout(ctx, t.wait())
				defer cancel()
				done <- stop(ctx)
			}()
		}
		return done
	}
	s.atEnd = append(s.atEnd, func() {
		if !started {
			s.close()
			<-shutdown()
		}
	})
	return shutdown
}

// awaitEnd checks that the shutdown loses nothing.
func (s *script) awaitEnd(done <-chan error) {
	select {
	case err := <-done:
		if err != nil {
			s.check(fmt.Errorf("the shutdown: %w", err))
		}
	case <-time.After(2 * s.t.wait()):
		s.failf("the shutdown has not ended after %v", 2*s.t.wait())
	}
}

// settle is the time that an agent gets to notice an event that it cannot answer.
func (t *Target) settle() time.Duration { return min(t.wait()/10, 100*time.Millisecond) }
