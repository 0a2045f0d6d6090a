package conformance

import (
	"fmt"
	"math"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// agreedSizes are sizes to agree on.
var agreedSizes = []uint32{256, 300, 16380}

func sizeCases() []Case {
	withSize := func(size uint32) func(*spoetest.Hello) { return func(h *spoetest.Hello) { h.MaxFrameSize = size } }
	cases := []Case{
		{"size/frame-exact", rowFrameSize, "§3.2.5", scripted(func(s *script) {
			for _, size := range agreedSizes {
				s.at = fmt.Sprintf("agreed size %d", size)
				h := s.open(withSize(size))
				s.send(sized(at(1, 1), int(h.MaxFrameSize)))
				s.ack(at(1, 1))
				s.served()
				s.finished()
			}
		})},
		{"size/frame-one-over", rowFrameSize, "§3.2.5", scripted(func(s *script) {
			for _, size := range agreedSizes {
				s.at = fmt.Sprintf("agreed size %d", size)
				h := s.open(withSize(size))
				s.send(sized(at(1, 1), int(h.MaxFrameSize)+1))
				s.refused(codec.StatusTooBig)
			}
		})},
		{"size/frame-far-over", rowFrameSize, "§3.2.5", scripted(func(s *script) {
			for _, length := range []uint32{1 << 24, 1 << 28, math.MaxInt32, math.MaxUint32} {
				s.at = fmt.Sprintf("a length of %d", length)
				s.open()
				s.raw([]byte{byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)})
				s.refused(codec.StatusTooBig)
			}
		})},
		{"size/fragment-one-over", rowFrameSize, "§3.2.5", scripted(func(s *script) {
			h := s.open(withSize(256))
			f := sized(at(1, 1), int(h.MaxFrameSize)+1)
			f.Flags = 0
			s.send(f)
			s.refused(codec.StatusTooBig)
		})},
		{"size/unknown-type-one-over", rowFrameSize, "§3.2.5", scripted(func(s *script) {
			h := s.open(withSize(256))
			f := sized(at(1, 1), int(h.MaxFrameSize)+1)
			f.Type = 77
			s.send(f)
			s.refused(codec.StatusTooBig)
		})},
		{"size/notifies-before-are-answered-or-not", rowFrameSize, "§3.2.9", scripted(func(s *script) {
			// Earlier NOTIFYs may get their ACKs, but no frame comes behind the
			// AGENT-DISCONNECT.
			h := s.open()
			s.notifyEach(10, s.t.message())
			s.rawLast(codec.AppendFrame(nil, sized(at(99, 1), int(h.MaxFrameSize)+1)))
			for _, f := range s.drained([]codec.Status{codec.StatusTooBig}) {
				if f.Type == codec.FrameAck && f.StreamID >= 10 {
					s.failf("the frame over the size was acknowledged")
				}
			}
		})},
		{"size/ack-exact-and-one-over", rowAckSize, "§3.2.7", scripted(func(s *script) {
			for _, size := range agreedSizes {
				h := s.open(withSize(size))
				for _, id := range []spoetest.ID{at(1, 1), at(math.MaxUint64, math.MaxUint64)} {
					s.at = fmt.Sprintf("agreed size %d, id %v", size, id)
					fits := biggest(id, int(h.MaxFrameSize), nil)
					s.notify(id, spoetest.Msg(MessageBig, spoetest.Arg("size", fits)))
					if v := s.ack(id); len(v.Str("txn.big")) != fits {
						s.failf("a string of %d bytes, which fits exactly, came as %d bytes", fits, len(v.Str("txn.big")))
					}
					s.notify(id, spoetest.Msg(MessageBig, spoetest.Arg("size", fits+1)))
					s.nothing(s.ack(id))
				}
				s.finished()
			}
		})},
		{"size/ack-far-over", rowAckSize, "§3.2.7", opened(func(s *script) {
			for _, size := range []int{20 << 10, 200 << 10, 2 << 20} {
				s.nothing(s.ask(spoetest.Msg(MessageBig, spoetest.Arg("size", size))))
			}
			s.served()
		})},
		{"size/ack-of-several-messages", rowAckSize, "§3.2.7", opened(func(s *script) {
			s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)), spoetest.Msg(MessageBig, spoetest.Arg("size", 20000)), spoetest.Msg(MessageEcho, spoetest.Arg("b", 2))), "txn.a=1 txn.b=2")
		})},
		{"size/ack-whole-messages-only", rowAckSize, "§3.2.7", opened(func(s *script) {
			// Two messages that fit alone but not together: the second one's
			// actions are dropped, all of them.
			v := s.ask(spoetest.Msg(MessageBig, spoetest.Arg("size", 10000)), spoetest.Msg(MessageBig, spoetest.Arg("size", 10000), spoetest.Arg("name", "second")), spoetest.Msg(MessageEcho, spoetest.Arg("b", 2)))
			if len(v.Actions()) != 2 || len(v.Str("txn.big")) != 10000 || v.Int("txn.b") != 2 {
				s.failf("the ACK has %d actions, the first message's and the last one's fit", len(v.Actions()))
			}
		})},
	}
	return append(cases, Case{"size/frame-at-agents-limit", rowMaxFrameSize, "§3.2.5", scripted(func(s *script) {
		if s.t.MaxFrameSize == 0 {
			s.check(skipf("Target.MaxFrameSize is not set"))
		}
		h := s.open(withSize(math.MaxUint32))
		s.agreed(h, math.MaxUint32)
		s.send(sized(at(1, 1), int(h.MaxFrameSize)))
		s.ack(at(1, 1))
		s.finished()
		s.open(withSize(math.MaxUint32))
		s.rawLast(codec.AppendFrame(nil, sized(at(1, 1), int(h.MaxFrameSize)+1)))
		s.refused(codec.StatusTooBig)
	})})
}

// sized returns a NOTIFY of length bytes, with a message without a handler.
func sized(id spoetest.ID, length int) codec.Frame {
	empty := len(codec.AppendFrame(nil, spoetest.NotifyFrame(id, nil))) - codec.LengthSize
	return spoetest.NotifyFrame(id, filled(length-empty))
}

// filled returns a payload of n bytes, 32 at least, with a message without a handler.
func filled(n int) []byte {
	n = max(n, 32)
	// A varint grows in steps of a byte with its value, so that some lengths are
	// passed over with one name of the argument; a shorter one has them.
	for _, name := range []string{"fill", "fil", "fi"} {
		head := codec.AppendString(codec.AppendMessage(nil, unhandled, 1), name)
		for sizeOfLength := 1; sizeOfLength <= codec.MaxVarintLen; sizeOfLength++ {
			fill := n - len(head) - 1 - sizeOfLength
			if fill >= 0 && codec.VarintLen(uint64(fill)) == sizeOfLength {
				return codec.AppendValue(head, codec.String(string(make([]byte, fill))))
			}
		}
	}
	panic(fmt.Sprintf("spoetest: no payload of %d bytes can be made", n))
}

// biggest returns the length of the longest string that MessageBig's ACK can
// hold in a frame of size bytes beside other actions.
func biggest(id spoetest.ID, size int, others []byte) int {
	fits := 0
	for n := max(size-128, 0); n < size; n++ {
		ack := codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: id.Stream, FrameID: id.Frame}
		ack.Payload = codec.AppendSetVar(others[:len(others):len(others)], codec.ScopeTransaction, "big", codec.String(string(make([]byte, n))))
		if len(codec.AppendFrame(nil, ack))-codec.LengthSize <= size {
			fits = n // grows with n, so that the last one is the longest
		}
	}
	return fits
}
