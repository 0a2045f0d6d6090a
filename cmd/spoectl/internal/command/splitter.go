package command

import (
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// splitter cuts one direction of a connection into frames.
type splitter struct {
	partial []byte
	bad     bool // the bytes are no SPOP: no further frame is cut
}

// longestFrame is the size up to which bytes are taken for a frame.
const longestFrame = 64 << 20

// add returns the frames that b completes, with their lengths; they are the caller's.
// problem is not empty, once, if the bytes are not a frame.
func (s *splitter) add(b []byte) (frames [][]byte, problem string) {
	if s.bad {
		return nil, ""
	}
	s.partial = append(s.partial, b...)
	rest := s.partial
	for {
		n, ok := codec.FrameLength(rest)
		if ok && n > longestFrame {
			s.bad = true
			begin := rest[:min(len(rest), 40)]
			s.partial = nil
			return frames, fmt.Sprintf("no SPOP: %q…", begin)
		}
		if whole := int(n) + codec.LengthSize; ok && len(rest) >= whole {
			frames = append(frames, append([]byte(nil), rest[:whole]...))
			rest = rest[whole:]
			continue
		}
		s.keep(rest)
		return frames, ""
	}
}

// keep keeps rest, which is the end of s.partial. Where no frame was cut off, it
// is there already: copying a long frame at each read would be quadratic.
func (s *splitter) keep(rest []byte) {
	switch {
	case len(rest) == len(s.partial):
	case len(rest) == 0 && cap(s.partial) > largestKept:
		s.partial = nil
	default:
		s.partial = append(s.partial[:0], rest...)
	}
}

// largestKept is the capacity of the largest buffer that an idle direction keeps.
const largestKept = 256 << 10
