package conformance

import (
	"fmt"
	"math"
	"strings"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func fragmentCases() []Case {
	return []Case{
		{"fragments/of-every-size", rowFragments, "§3.2.1", opened(func(s *script) {
			payload := s.payload(s.t.message())
			for size := 1; size <= len(payload)+1; size++ {
				s.at = fmt.Sprintf("fragments of %d bytes", size)
				id := at(uint64(size), 1)
				s.send(spoetest.Fragments(id, payload, size)...)
				v := s.ack(id)
				s.check(s.t.expect(v))
			}
		})},
		{"fragments/without-offering-it", rowFragments, "§3.2.1", scripted(func(s *script) {
			for _, caps := range []string{"", "pipelining", "pipelining,async"} {
				s.open(func(h *spoetest.Hello) { h.Capabilities = caps })
				s.send(spoetest.Fragments(at(0, 1), s.payload(s.t.message()), 3)...)
				s.ack(at(0, 1))
				s.finished()
			}
		})},
		{"fragments/larger-than-a-frame", rowFragments, "§3.2.1", scripted(func(s *script) {
			for _, size := range []uint32{256, 16380} {
				h := s.open(func(h *spoetest.Hello) { h.MaxFrameSize = size })
				long := strings.Repeat("0123456789abcdef", int(size)/4) // 4 frames
				payload := s.payload(spoetest.Msg(unhandled, spoetest.Arg("body", long)), spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)))
				s.send(spoetest.Fragments(at(1, 1), payload, int(h.MaxFrameSize)-32)...)
				s.want(s.ack(at(1, 1)), "txn.a=1")
				s.served()
				s.finished()
			}
		})},
		{"fragments/content", rowFragments, "§3.2.1", opened(func(s *script) {
			long := strings.Repeat("fragment ", 500)
			for _, size := range []int{1, 7, 239, 240, 1000} {
				s.at = fmt.Sprintf("fragments of %d bytes", size)
				payload := s.payload(spoetest.Msg(MessageEcho, spoetest.Arg("a", long), spoetest.Arg("b", -1)))
				s.send(spoetest.Fragments(at(1, uint64(size)), payload, size)...)
				if v := s.ack(at(1, uint64(size))); v.Str("txn.a") != long || v.Int("txn.b") != -1 {
					s.failf("the agent changed a value that was sent in fragments")
				}
			}
		})},
		{"fragments/empty", rowFragments, "§3.2.1", opened(func(s *script) {
			payload := s.payload(s.t.message())
			id := at(3, 3)
			frames := []codec.Frame{{Type: codec.FrameNotify, StreamID: 3, FrameID: 3}}
			for range 5 {
				frames = append(frames, codec.Frame{StreamID: 3, FrameID: 3})
			}
			frames = append(frames, codec.Frame{StreamID: 3, FrameID: 3, Payload: payload}, codec.Frame{StreamID: 3, FrameID: 3, Flags: codec.FlagFIN})
			s.send(frames...)
			s.ack(id)
			s.send(spoetest.Fragments(at(4, 4), nil, 1)...)
			s.nothing(s.ack(at(4, 4)))
		})},
		{"fragments/interleaved-with-whole-ones", rowFragments, "§3.2.1", opened(func(s *script) {
			frames := spoetest.Fragments(at(1, 1), s.payload(s.t.message()), 2)
			for i, f := range frames {
				s.send(f)
				if i < len(frames)-1 {
					other := at(100+uint64(i), 1)
					s.notify(other, s.t.message())
					s.ack(other)
				}
			}
			s.ack(at(1, 1))
		})},
		{"fragments/interleaved-streams", rowFragments, "§3.2.1", opened(func(s *script) {
			const streams = 5
			var queues [streams][]codec.Frame
			for i := range queues {
				queues[i] = spoetest.Fragments(at(uint64(i), 1), s.payload(spoetest.Msg(MessageEcho, spoetest.Arg("stream", i))), 3)
			}
			for len(queues[0]) > 0 {
				for i := range queues {
					s.send(queues[i][0])
					queues[i] = queues[i][1:]
				}
			}
			for i := range uint64(streams) {
				s.want(s.ack(at(i, 1)), fmt.Sprintf("txn.stream=%d", i))
			}
		})},
		{"fragments/interleaved-frame-ids", rowFragments, "§3.2.1", opened(func(s *script) {
			a := spoetest.Fragments(at(7, 1), s.payload(spoetest.Msg(MessageEcho, spoetest.Arg("frame", 1))), 4)
			b := spoetest.Fragments(at(7, 2), s.payload(spoetest.Msg(MessageEcho, spoetest.Arg("frame", 2))), 4)
			for i := range a {
				s.send(a[i], b[i])
			}
			s.want(s.ack(at(7, 1)), "txn.frame=1")
			s.want(s.ack(at(7, 2)), "txn.frame=2")
		})},
		{"fragments/wide-ids", rowFragments, "§3.2.1", opened(func(s *script) {
			for _, id := range []spoetest.ID{at(0, 0), at(0, 1), at(math.MaxUint64, math.MaxUint64), at(1<<63, 240)} {
				s.send(spoetest.Fragments(id, s.payload(s.t.message()), 5)...)
				s.ack(id)
			}
		})},
		{"fragments/ABORT", rowFragments, "§3.2.3", scripted(fragmentsAborted)},
		{"fragments/ABORT-at-once", rowFragments, "§3.2", opened(func(s *script) {
			payload := s.payload(s.t.message())
			s.send(codec.Frame{Type: codec.FrameNotify, StreamID: 1, FrameID: 1, Payload: payload},
				codec.Frame{StreamID: 1, FrameID: 1, Flags: codec.FlagFIN | codec.FlagABORT})
			s.notify(at(1, 2), s.t.message())
			s.ack(at(1, 2))
		})},
		{"fragments/of-nothing", rowFragments, "§3.5", scripted(func(s *script) {
			for _, flags := range []codec.Flags{0, codec.FlagFIN} {
				s.at = fmt.Sprintf("flags %#x", uint32(flags))
				s.open()
				s.served()
				s.send(codec.Frame{Flags: flags, StreamID: 5, FrameID: 1, Payload: []byte{1, 'm', 0}})
				s.refused(codec.StatusNoFrameID)
			}
		})},
		{"fragments/of-a-stream-that-has-ended", rowFragments, "§3.5", scripted(func(s *script) {
			s.open()
			s.send(spoetest.Fragments(at(5, 1), s.payload(s.t.message()), 4)...)
			s.ack(at(5, 1))
			s.send(codec.Frame{Flags: codec.FlagFIN, StreamID: 5, FrameID: 1})
			s.refused(codec.StatusNoFrameID)
		})},
		{"fragments/of-another-frame-id", rowFragments, "§3.5", scripted(func(s *script) {
			s.open()
			s.send(codec.Frame{Type: codec.FrameNotify, StreamID: 5, FrameID: 1, Payload: []byte{1}},
				codec.Frame{Flags: codec.FlagFIN, StreamID: 5, FrameID: 2, Payload: []byte{'m', 0}})
			s.refused(codec.StatusNoFrameID, codec.StatusInterlaced)
		})},
		{"fragments/EOF-meanwhile", rowFragments, "§3.2.1", scripted(func(s *script) {
			s.open()
			s.send(codec.Frame{Type: codec.FrameNotify, StreamID: 5, FrameID: 1, Payload: []byte{1}})
			s.halfClosed()
			s.open()
			s.send(codec.Frame{Type: codec.FrameNotify, StreamID: 5, FrameID: 1, Payload: []byte{1}})
			s.check(s.c.Reset())
			s.servedElsewhere()
		})},
		{"fragments/DISCONNECT-meanwhile", rowFragments, "§3.2.8", scripted(func(s *script) {
			s.open()
			s.send(codec.Frame{Type: codec.FrameNotify, StreamID: 5, FrameID: 1, Payload: []byte{1}})
			s.finished()
		})},
		{"fragments/payload-at-the-limit", rowFragments, "§3.2.1", scripted(func(s *script) {
			limit := s.maxPayload()
			s.open()
			s.send(spoetest.Fragments(at(1, 1), filled(limit), 16000)...)
			s.ack(at(1, 1))
			s.finished()
		})},
		{"fragments/payload-over-the-limit", rowFragments, "§3.2.3", scripted(payloadOverLimit)},
		{"fragments/many-payloads-over-the-limit", rowFragments, "§3.2.3", scripted(func(s *script) {
			limit := s.maxPayload()
			s.open()
			for i := range uint64(5) {
				s.send(spoetest.Fragments(at(i, 1), filled(limit+1), 16000)...)
				s.aborted(at(i, 1))
			}
			s.served()
			s.finished()
		})},
	}
}

// fragmentsAborted aborts a NOTIFY in the middle: no ACK comes, and the stream-id can be
// used again.
func fragmentsAborted(s *script) {
	s.open()
	frames := spoetest.Fragments(at(1, 1), s.payload(s.t.message()), 3)
	for n := 1; n < len(frames); n++ {
		s.at = fmt.Sprintf("ABORT after %d fragments", n)
		s.send(frames[:n]...)
		s.send(codec.Frame{StreamID: 1, FrameID: 1, Flags: codec.FlagFIN | codec.FlagABORT})
		s.send(frames...) // the same ids again, whole
		s.ack(at(1, 1))
	}
	s.at = "after all"
	s.finished() // no ACK is left over
}

func (s *script) maxPayload() int {
	if s.t.MaxPayload == 0 {
		s.check(skipf("Target.MaxPayload is not set"))
	}
	return s.t.MaxPayload
}

// payloadOverLimit wants an ACK with ABORT as soon as the payload is too long,
// the rest skipped, and the stream to be usable again.
func payloadOverLimit(s *script) {
	limit := s.maxPayload()
	s.open()
	id := at(8, 1)
	frames := spoetest.Fragments(id, filled(limit+1), 16000)
	s.send(frames...)
	s.aborted(id)
	s.served()
	s.at = "far over the limit"
	frames = spoetest.Fragments(id, filled(3*limit), 16000)
	s.send(frames[:len(frames)-1]...)
	s.aborted(id)
	s.served()
	s.send(frames[len(frames)-1])
	s.at = "the same stream afterwards"
	s.notify(at(8, 2), s.t.message())
	s.ack(at(8, 2))
	s.send(spoetest.Fragments(at(8, 3), s.payload(s.t.message()), 5)...)
	s.ack(at(8, 3))
	s.finished()
}

// aborted awaits an ACK with ABORT and FIN.
func (s *script) aborted(id spoetest.ID) {
	a, err := s.c.Ack(s.ctx, id)
	s.check(err)
	if a.Flags != codec.FlagFIN|codec.FlagABORT || len(a.Payload) > 0 {
		s.failf("ACK %v has the flags %#x and %d bytes of payload, want ABORT and FIN (0x3) and none", id, uint32(a.Flags), len(a.Payload))
	}
}
