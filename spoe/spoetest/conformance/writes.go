package conformance

import (
	"slices"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func writeCases() []Case {
	return []Case{
		{"write/hello", rowWrites, "§3.2.5", scripted(func(s *script) {
			for range 20 {
				s.connect()
				s.observed()
				s.shake()
				s.wrote(1)
			}
		})},
		{"write/hello-of-a-health-check", rowWrites, "§3.2.5", scripted(func(s *script) {
			s.connect()
			s.observed()
			s.healthCheck()
			s.wrote(1)
		})},
		{"write/disconnect", rowWrites, "§3.2.9", scripted(func(s *script) {
			s.connect()
			s.observed()
			s.raw([]byte("GET / HTTP/1.1\r\n\r\n"))
			s.refused(codec.StatusInvalid, codec.StatusTooBig)
			s.wrote(1)
			s.open()
			s.finished()
			s.wrote(2)
		})},
		{"write/whole-frames", rowWrites, "§3.2.7", opened(func(s *script) {
			s.observed()
			_, ends := s.acknowledged(500)
			at := 0
			for _, n := range s.segments()[1:] {
				at += n
				if _, ok := slices.BinarySearch(ends, at); !ok {
					s.failf("a write ends within a frame, at byte %d behind the AGENT-HELLO", at)
				}
			}
		})},
		{"write/acks-together", rowWrites, "§3.2.7", opened(func(s *script) {
			s.observed()
			const n, rounds = 100, 20
			for range rounds {
				before := len(s.segments())
				s.acknowledged(n)
				if len(s.segments())-before < n {
					return
				}
			}
			s.failf("%d times %d ACKs of NOTIFYs sent together left in as many writes", rounds, n)
		})},
	}
}

// observed skips the case if the agent's writes cannot be seen.
func (s *script) observed() {
	if _, ok := s.c.Conn().(*spoetest.Conn); !ok {
		s.check(skipf("the sizes of the agent's writes are seen in memory only (Target.Dial)"))
	}
}

func (s *script) segments() []int {
	return s.c.Conn().(*spoetest.Conn).Segments()
}

// wrote checks the number of writes so far.
func (s *script) wrote(n int) {
	if got := s.segments(); len(got) != n {
		s.failf("the agent has written segments of %v bytes, want %d", got, n)
	}
}

// acknowledged sends n NOTIFYs at once and returns their ACKs, and the offsets
// at which they end in the stream.
func (s *script) acknowledged(n int) (frames []codec.Frame, ends []int) {
	payload := s.payload(s.t.message())
	var out []codec.Frame
	for i := range n {
		out = append(out, spoetest.NotifyFrame(at(uint64(i), 1), payload))
	}
	s.send(out...)
	at := 0
	for range n {
		f, err := s.c.Next(s.ctx)
		s.check(err)
		at += len(codec.AppendFrame(nil, f))
		frames, ends = append(frames, f), append(ends, at)
	}
	return frames, ends
}
