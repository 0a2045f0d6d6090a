package conformance

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func disconnectCases() []Case {
	return []Case{
		{"disconnect/status", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			for _, status := range []codec.Status{0, 1, 2, 3, 4, 10, 13, 14, 99, 255, 4294967295} {
				s.at = fmt.Sprintf("status %d", uint32(status))
				s.open()
				s.served()
				s.send(spoetest.DisconnectFrame(codec.Disconnect{Status: status, Message: status.String()}))
				s.refused(codec.StatusNormal)
			}
		})},
		{"disconnect/at-once", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			s.open()
			s.send(spoetest.DisconnectFrame(codec.Disconnect{Message: "normal"}))
			s.refused(codec.StatusNormal)
		})},
		{"disconnect/in-one-byte-segments", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			s.open()
			s.c.Segments(spoetest.SegmentsOf(1, 0))
			s.finished()
		})},
		{"disconnect/payload-is-lenient", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			for name, payload := range map[string][]byte{
				"empty":         nil,
				"no message":    helloPayload(pair{"status-code", codec.Uint32(0)}),
				"no status":     helloPayload(pair{"message", codec.String("bye")}),
				"other integer": helloPayload(pair{"status-code", codec.Int64(2)}, pair{"message", codec.String("bye")}),
				"unknown key":   helloPayload(pair{"x", codec.Bool(true)}, pair{"status-code", codec.Uint32(0)}, pair{"message", codec.String("")}),
			} {
				s.at = name
				s.open()
				s.send(codec.Frame{Type: codec.FrameHAProxyDisconnect, Flags: codec.FlagFIN, Payload: payload})
				s.refused(codec.StatusNormal)
			}
		})},
		{"disconnect/in-flight", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			// A handler that heeds its context ends with the connection.
			key := uniqueKey("disconnect")
			s.open()
			s.notify(at(1, 1), spoetest.Msg(MessageWait, spoetest.Arg("key", key)))
			s.check(sleep.For(s.ctx, s.t.settle()))
			s.send(spoetest.DisconnectFrame(codec.Disconnect{Message: "normal"}))
			s.within(s.t.wait()/2, "the AGENT-DISCONNECT", func() { s.drained(nil) })
			s.handlerEnded(key)
		})},
		{"disconnect/handler-ignores-it", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			s.open()
			s.notify(at(1, 1), hang(60000, 2000))
			s.check(sleep.For(s.ctx, s.t.settle()))
			s.send(spoetest.DisconnectFrame(codec.Disconnect{Message: "normal"}))
			s.within(1500*time.Millisecond, "the AGENT-DISCONNECT", func() { s.drained(nil) })
			s.servedElsewhere()
		})},
		{"disconnect/notify-right-before", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			// Some versions send both without reading in between (haproxy#1340).
			for range 20 {
				s.open()
				s.send(spoetest.NotifyFrame(at(1, 1), s.payload(s.t.message())), spoetest.DisconnectFrame(codec.Disconnect{Message: "normal"}))
				frames := s.drained(nil)
				for _, f := range frames[:max(len(frames)-1, 0)] {
					if f.Type != codec.FrameAck || f.StreamID != 1 {
						s.failf("got %v for stream %d before the AGENT-DISCONNECT", f.Type, f.StreamID)
					}
				}
			}
		})},
		{"disconnect/frames-behind-it-are-ignored", rowDisconnect, "§3.2.8", scripted(func(s *script) {
			s.open()
			s.send(spoetest.DisconnectFrame(codec.Disconnect{Message: "normal"}), spoetest.NotifyFrame(at(1, 1), s.payload(s.t.message())))
			s.refused(codec.StatusNormal)
			s.open()
			s.rawLast(append(codec.AppendFrame(nil, spoetest.DisconnectFrame(codec.Disconnect{})), "garbage behind it"...))
			s.refused(codec.StatusNormal)
		})},
	}
}

var keys atomic.Uint64

// uniqueKey returns a key for MessageWait that no other run of a case has.
func uniqueKey(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, time.Now().UnixNano(), keys.Add(1))
}

// handlerEnded checks on another connection that the context of the handler of
// MessageWait with that key has ended.
func (s *script) handlerEnded(key string) {
	s.at = "the handler's context"
	s.open()
	for end := time.Now().Add(s.t.wait()); ; {
		v := s.ask(spoetest.Msg(MessageEnded, spoetest.Arg("key", key)))
		if v.Bool("txn.ended") {
			return
		}
		if time.Now().After(end) {
			s.failf("the handler's context has not ended with its connection within %v", s.t.wait())
		}
		s.check(sleep.For(s.ctx, 20*time.Millisecond))
	}
}

func endCases() []Case {
	end := func(c *spoetest.Client, how string) error {
		switch how {
		case "reset":
			return c.Reset()
		case "EOF":
			return c.Close()
		}
		if err := c.CloseWrite(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		return nil
	}
	var cases []Case
	for _, how := range []string{"reset", "EOF", "half-close"} {
		cases = append(cases,
			Case{"end/" + how, rowEnd, "§3.2.3", scripted(func(s *script) {
				for _, when := range []string{"before the hello", "after the hello", "after an ACK", "with NOTIFYs in flight"} {
					s.at = when
					s.connect()
					if when != "before the hello" {
						s.shake()
					}
					if when == "after an ACK" {
						s.served()
					}
					if when == "with NOTIFYs in flight" {
						s.notifyEach(20, s.t.message())
					}
					s.check(end(s.c, how))
					s.servedElsewhere()
				}
			})},
			Case{"end/" + how + "-ends-handlers", rowEnd, "§3.2.3", scripted(func(s *script) {
				key := uniqueKey(how)
				s.open()
				s.notify(at(1, 1), spoetest.Msg(MessageWait, spoetest.Arg("key", key)))
				s.check(sleep.For(s.ctx, s.t.settle()))
				s.check(end(s.c, how))
				s.handlerEnded(key)
			})})
	}
	return append(cases, Case{"end/half-close-is-closed", rowEnd, "§3.2.3", scripted(func(s *script) {
		s.open()
		s.served()
		s.halfClosed()
	})})
}

func skipCases() []Case {
	types := []codec.FrameType{4, 50, 77, 100, 104, 200, 255}
	return []Case{
		{"type/unknown", rowFrameType, "§3.2.2", scripted(func(s *script) {
			s.open()
			for _, t := range types {
				s.at = t.String()
				for _, f := range []codec.Frame{
					{Type: t, Flags: codec.FlagFIN},
					{Type: t, Flags: codec.FlagFIN, StreamID: 7, FrameID: 7, Payload: []byte("anything")},
					{Type: t, Flags: 0, Payload: make([]byte, 10000)},
					{Type: t, Flags: 0xffffffff, StreamID: 1 << 63, FrameID: 1 << 63},
				} {
					s.send(f)
					s.served()
				}
			}
			s.finished()
		})},
		{"type/unknown-among-others", rowFrameType, "§3.2.2", opened(func(s *script) {
			frames := spoetest.Fragments(at(1, 1), s.payload(s.t.message()), 3)
			for _, f := range frames {
				s.send(codec.Frame{Type: 77, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: []byte("x")}, f)
			}
			s.ack(at(1, 1))
		})},
		{"type/reserved-flags", rowFrameType, "§3.2", opened(func(s *script) {
			f := spoetest.NotifyFrame(at(1, 1), s.payload(s.t.message()))
			f.Flags |= 0xfffffffc
			s.send(f)
			s.ack(at(1, 1))
		})},
	}
}
