package conformance

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func timeoutCases() []Case {
	return []Case{
		{"timeout/hello", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("HelloTimeout", s.t.HelloTimeout)
			s.connect()
			s.servedElsewhere()
			s.ended(s.t.HelloTimeout)
		})},
		{"timeout/half-a-hello", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("HelloTimeout", s.t.HelloTimeout)
			whole := codec.AppendFrame(nil, helloFrame(spoetest.DefaultHello()))
			for _, n := range []int{1, 4, 5, len(whole) - 1} {
				s.connect()
				s.raw(whole[:n])
				s.ended(s.t.HelloTimeout)
			}
		})},
		{"timeout/hello-drop-by-drop", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("HelloTimeout", s.t.HelloTimeout)
			s.connect()
			s.drops(codec.AppendFrame(nil, helloFrame(spoetest.DefaultHello())), s.t.HelloTimeout)
		})},
		{"timeout/half-a-frame", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("ReadTimeout", s.t.ReadTimeout)
			whole := codec.AppendFrame(nil, spoetest.NotifyFrame(at(1, 1), s.payload(s.t.message())))
			for _, n := range []int{1, 4, 5, len(whole) - 1} {
				s.open()
				s.served()
				s.raw(whole[:n])
				s.servedElsewhere()
				s.ended(s.t.ReadTimeout)
			}
		})},
		{"timeout/frame-drop-by-drop", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("ReadTimeout", s.t.ReadTimeout)
			s.open()
			s.drops(codec.AppendFrame(nil, sized(at(1, 1), 300)), s.t.ReadTimeout)
		})},
		{"timeout/idle", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("IdleTimeout", s.t.IdleTimeout)
			s.open()
			s.served()
			start := time.Now()
			var frames []codec.Frame
			for {
				more, err := s.c.Drain(s.ctx)
				frames = append(frames, more...)
				if errors.Is(err, context.DeadlineExceeded) && time.Since(start) < s.t.IdleTimeout+s.t.wait() {
					continue
				}
				s.check(err)
				break
			}
			took := time.Since(start)
			switch {
			case took < s.t.IdleTimeout/2:
				s.failf("the connection ended after %v, its idle timeout is %v", took, s.t.IdleTimeout)
			case len(frames) > 0:
				d, err := spoetest.LastDisconnect(frames, nil)
				s.check(err)
				if len(frames) > 1 || d.Status > codec.StatusTimeout {
					s.failf("%d frames, the last an AGENT-DISCONNECT %d; want one, with status 0 or 2", len(frames), uint32(d.Status))
				}
			}
		})},
		{"timeout/not-idle", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("IdleTimeout", s.t.IdleTimeout)
			s.open()
			for end := time.Now().Add(2 * s.t.IdleTimeout); time.Now().Before(end); {
				s.served()
				s.check(sleep.For(s.ctx, s.t.IdleTimeout/5))
			}
			s.finished()
		})},
		{"timeout/not-idle-while-handling", rowSilent, "§3.5", scripted(func(s *script) {
			s.known("IdleTimeout", s.t.IdleTimeout)
			s.open()
			ms := int(2 * s.t.IdleTimeout / time.Millisecond)
			if ms > int(s.t.wait()/time.Millisecond)*2/3 {
				s.check(skipf("Target.IdleTimeout of %v is too long beside Target.Wait", s.t.IdleTimeout))
			}
			v := s.ask(spoetest.Msg(MessageSleep, spoetest.Arg("ms", ms)))
			if v.Int("txn.slept") != int64(ms) {
				s.failf("got %q", v)
			}
			// The ACK is a frame too: time counts from there.
			s.at = "after the ACK"
			s.check(sleep.For(s.ctx, s.t.IdleTimeout/3))
			s.served()
			s.finished()
		})},
		{"timeout/not-reading", rowSilent, "§3.5", scripted(notReading)},
	}
}

// known skips the case if the target does not state the timeout.
func (s *script) known(field string, d time.Duration) {
	if d == 0 {
		s.check(skipf("Target.%s is not set", field))
	}
}

// drops sends a frame byte by byte, each within the timeout but the whole far
// beyond it, and checks that the agent does not wait for ever.
func (s *script) drops(frame []byte, timeout time.Duration) {
	start := time.Now()
	for _, b := range frame {
		if err := s.c.Write(s.ctx, []byte{b}); err != nil {
			break
		}
		if time.Since(start) > 5*timeout+s.t.wait() {
			s.failf("a frame that comes byte by byte is awaited for more than %v, the timeout is %v", time.Since(start), timeout)
		}
		s.check(sleep.For(s.ctx, timeout/4))
	}
	if took := time.Since(start); took < timeout/2 {
		s.failf("the connection ended after %v, the timeout is %v", took, timeout)
	}
}

// notReading sends NOTIFYs without reading an ACK until nothing more can be
// written, and then wants the agent to end this connection, and this one alone.
func notReading(s *script) {
	s.known("WriteTimeout", s.t.WriteTimeout)
	s.connect()
	if tcp, ok := s.c.Conn().(*net.TCPConn); ok {
		s.check(tcp.SetReadBuffer(4096))
	}
	s.shake()
	payload := s.payload(spoetest.Msg(MessageBig, spoetest.Arg("size", 16000)))
	var frames []codec.Frame
	for i := range uint64(100) {
		frames = append(frames, spoetest.NotifyFrame(at(i, 1), payload))
	}
	const rounds = 100000 // 10 million NOTIFYs, 160 GB of ACKs: no agent keeps that
	start := time.Now()
	for range rounds {
		err := s.c.WriteFrames(s.ctx, frames...)
		switch took := time.Since(start); {
		case err == nil:
			continue
		case isReset(err):
			s.servedElsewhere()
			return
		case errors.Is(err, context.DeadlineExceeded) && took < s.t.WriteTimeout+3*s.t.wait():
			// Half a frame may be written now: from here on only the end counts.
			s.servedElsewhere()
			s.wroteOff(s.t.WriteTimeout + 2*s.t.wait())
			return
		default:
			s.failf("a connection whose ACKs are not read is still there after %v, the write timeout is %v: %w", took, s.t.WriteTimeout, err)
		}
	}
	s.failf("the agent has taken %d NOTIFYs whose ACKs are not read", rounds*len(frames))
}

// wroteOff waits until writing fails because the agent has closed.
func (s *script) wroteOff(limit time.Duration) {
	for start := time.Now(); ; {
		err := s.c.Write(s.ctx, []byte{0})
		switch {
		case isReset(err):
			return
		case time.Since(start) > limit:
			s.failf("a connection whose ACKs are not read is still there after %v", time.Since(start))
		case err == nil:
			s.check(sleep.For(s.ctx, 20*time.Millisecond))
		}
	}
}
