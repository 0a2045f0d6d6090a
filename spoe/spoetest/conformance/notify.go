package conformance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// wideIDs are ids at the edges of each length that a varint can have, §3.1.
func wideIDs() []uint64 {
	ids := []uint64{0, 1, math.MaxUint32, math.MaxInt64, math.MaxUint64}
	for edge, n := uint64(240), 2; n <= codec.MaxVarintLen; n++ {
		ids = append(ids, edge-1, edge)
		edge += 1 << (7*n - 3)
	}
	return ids
}

func notifyCases() []Case {
	return []Case{
		{"notify/one", rowNotify, "§3.2.7", opened((*script).served)},
		{"notify/ids", rowNotify, "§3.2.7", opened(func(s *script) {
			for _, stream := range wideIDs() {
				for _, frame := range []uint64{0, 1, 239, 240, math.MaxUint32, math.MaxUint64} {
					id := at(stream, frame)
					s.at = "stream-id/frame-id " + id.String()
					s.notify(id, s.t.message())
					s.ack(id)
				}
			}
		})},
		{"notify/frame-ids-of-one-stream", rowNotify, "§3.2.7", opened(func(s *script) {
			for i := range uint64(20) {
				s.notify(at(0, i+1), s.t.message())
			}
			for i := range uint64(20) {
				s.ack(at(0, 20-i))
			}
		})},
		{"notify/stream-id-reused", rowNotify, "§3.2.7", opened(func(s *script) {
			for range 20 {
				s.notify(at(0, 1), s.t.message())
				s.ack(at(0, 1))
			}
		})},
		{"notify/pipelined", rowNotify, "§3.2.1", opened(func(s *script) {
			pipelined(s, 100, s.t.message())
		})},
		{"notify/pipelined-a-lot", rowNotify, "§3.2.1", opened(func(s *script) {
			// Far beyond what any agent handles at once: it may stop reading for a
			// while, but drops nothing.
			for range 10 {
				pipelined(s, 1000, s.t.message())
			}
		})},
		{"notify/random-order", rowNotify, "§3.2.1", opened(randomOrder)},
		{"notify/one-byte-segments", rowNotify, "§3.2", scripted(func(s *script) {
			s.connect()
			s.c.Segments(spoetest.SegmentsOf(1, 0))
			s.shake()
			for range 5 {
				s.served()
			}
			s.finished()
		})},
		{"notify/segments-across-frames", rowNotify, "§3.2", opened(func(s *script) {
			// Segments of every size up to that of two frames, so that a write
			// ends at every byte of a frame, and of its length.
			frame := len(codec.AppendFrame(nil, spoetest.NotifyFrame(at(1, 1), s.payload(s.t.message()))))
			for size := 1; size < 2*frame; size++ {
				s.at = fmt.Sprintf("segments of %d bytes", size)
				s.c.Segments(spoetest.SegmentsOf(size, 0))
				pipelined(s, 4, s.t.message())
			}
		})},
		{"notify/paused", rowNotify, "§3.2", scripted(func(s *script) {
			s.connect()
			s.c.Segments(func(b []byte) (int, time.Duration) { return len(b)/3 + 1, s.t.settle() / 20 })
			s.shake()
			s.served()
			s.finished()
		})},
		{"messages/in-order", rowMessages, "§3.2.6", opened(func(s *script) {
			var msgs []spoetest.Message
			want := ""
			for i := range 20 {
				msgs = append(msgs, spoetest.Msg(MessageEcho, spoetest.Arg(fmt.Sprintf("n%d", i), i)))
				want += fmt.Sprintf(" txn.n%d=%d", i, i)
			}
			s.want(s.ask(msgs...), want[1:])
		})},
		{"messages/same-variable", rowMessages, "§3.2.6", opened(func(s *script) {
			s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("v", 1)), spoetest.Msg(MessageEcho, spoetest.Arg("v", 2)), spoetest.Msg(MessageEcho, spoetest.Arg("v", 3))), "txn.v=1 txn.v=2 txn.v=3")
		})},
		{"messages/one-unknown", rowMessages, "§3.2.6", scripted(func(s *script) {
			s.open()
			s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)), spoetest.Msg(unhandled), spoetest.Msg(MessageEcho, spoetest.Arg("b", 2))), "txn.a=1 txn.b=2")
			s.finished()
		})},
		{"messages/many", rowMessages, "§3.2.6", opened(func(s *script) {
			msgs := make([]spoetest.Message, 500)
			for i := range msgs {
				msgs[i] = spoetest.Msg(unhandled)
			}
			s.ask(msgs...)
		})},
		{"unknown/message", rowUnknown, "§3.2.7", opened(func(s *script) {
			s.nothing(s.ask(spoetest.Msg(unhandled, spoetest.Arg("ip", "192.0.2.1"))))
		})},
		{"unknown/no-message", rowUnknown, "§3.2.7", opened(func(s *script) {
			s.nothing(s.ask())
		})},
		{"unknown/message-without-name", rowUnknown, "§3.2.7", opened(func(s *script) {
			s.nothing(s.ask(spoetest.Msg("")))
		})},
		{"unknown/message-with-an-odd-name", rowUnknown, "§3.2.7", opened(func(s *script) {
			for _, name := range []string{"Ünïcode", "a b", "\x00\xff", "%s%d", string(make([]byte, 5000))} {
				s.nothing(s.ask(spoetest.Msg(name)))
			}
		})},
		{"option/no-empty-ack", rowNoEmpty, "§3.2.7", scripted(func(s *script) {
			if !s.t.NoEmptyACK {
				s.check(skipf("Target.NoEmptyACK is not set"))
			}
			s.open()
			s.nothing(s.ask())
			s.nothing(s.ask(spoetest.Msg(unhandled)))
			s.nothing(s.ask(spoetest.Msg(MessageEcho)))
			s.nothing(s.ask(spoetest.Msg(MessageFail, spoetest.Arg("a", 1))))
			s.nothing(s.ask(spoetest.Msg(MessageBig, spoetest.Arg("size", 20000))))
			s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1))), "txn.a=1")
		})},
		{"engine/slow-handler-on-its-connection", rowEngine, "§3.2.1", opened(func(s *script) {
			slow := at(1001, 1)
			s.notify(slow, spoetest.Msg(MessageSleep, spoetest.Arg("ms", 1000)))
			s.within(s.t.wait()/2, "20 NOTIFYs behind a slow one", func() {
				for range 20 {
					s.served()
				}
			})
			s.want(s.ack(slow), "txn.slept=1000")
		})},
		{"engine/slow-handlers-elsewhere", rowEngine, "§3.2.1", opened(func(s *script) {
			s.notifyEach(20, spoetest.Msg(MessageSleep, spoetest.Arg("ms", 1000)))
			s.within(s.t.wait()/2, "another connection", s.servedElsewhere)
			for i := range uint64(20) {
				s.ack(at(i, 1))
			}
		})},
	}
}

// unhandled is a message for which no agent has a handler.
const unhandled = "spoetest-nobody"

// pipelined sends n NOTIFYs at once and awaits their ACKs, each once.
func pipelined(s *script, n int, msg spoetest.Message) {
	payload := s.payload(msg)
	frames := make([]codec.Frame, n)
	for i := range frames {
		frames[i] = spoetest.NotifyFrame(at(uint64(i), 7), payload)
	}
	// Written while ACKs are read: the agent need not keep them for a HAProxy
	// that does not read.
	written := make(chan error, 1)
	c := s.c
	go func() { written <- c.WriteFrames(s.ctx, frames...) }() // ends with the write, which is bounded
	seen := make([]bool, n)
	for range n {
		a, err := s.c.AnyAck(s.ctx)
		s.check(err)
		switch {
		case a.Frame != 7 || a.Stream >= uint64(n):
			s.failf("ACK %v, which was not asked for", a.ID)
		case seen[a.Stream]:
			s.failf("a second ACK %v", a.ID)
		}
		seen[a.Stream] = true
		_, err = a.Vars()
		s.check(err)
	}
	s.check(<-written)
}

// randomOrder has 100 NOTIFYs answered in another order than they were sent.
func randomOrder(s *script) {
	const n = 100
	rng := rand.New(rand.NewPCG(1, 2))
	ms := rng.Perm(n)
	var frames []codec.Frame
	for i := range ms {
		ms[i] = ms[i] / 10 * 100 // ten at a time, far enough apart to tell
		frames = append(frames, spoetest.NotifyFrame(at(uint64(i), math.MaxUint64-uint64(i)), s.payload(spoetest.Msg(MessageSleep, spoetest.Arg("ms", ms[i])))))
	}
	s.send(frames...)
	seen, order := map[uint64]bool{}, []int{}
	for range n {
		a, err := s.c.AnyAck(s.ctx)
		s.check(err)
		if a.Stream >= n || a.Frame != math.MaxUint64-a.Stream || seen[a.Stream] {
			s.failf("ACK %v, which was not asked for or is the second one", a.ID)
		}
		seen[a.Stream] = true
		v, err := a.Vars()
		s.check(err)
		s.want(v, fmt.Sprintf("txn.slept=%d", ms[a.Stream]))
		order = append(order, ms[a.Stream])
	}
	// Of an agent that answers in the order sent, half of the pairs are the wrong
	// way round; a busy machine mixes up neighbours alone.
	wrong, pairs := 0, n*(n-1)/2
	for i := range order {
		for j := range i {
			if order[j] > order[i] {
				wrong++
			}
		}
	}
	if wrong > pairs/4 {
		s.failf("of %d pairs of ACKs, %d came with the one first whose handler had slept longer", pairs, wrong)
	}
}
