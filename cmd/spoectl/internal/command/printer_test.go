package command

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// A long frame that comes in small pieces costs its length, not its square.
func TestSplitterIsLinear(t *testing.T) {
	const size = 48 << 20
	frame := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameNotify, Payload: make([]byte, size)})
	var s splitter
	begin := time.Now()
	for rest := frame; len(rest) > 0; {
		n := min(len(rest), 1<<10)
		frames, problem := s.add(rest[:n])
		require.Empty(t, problem)
		if rest = rest[n:]; len(rest) == 0 {
			require.Len(t, frames, 1)
			require.Len(t, frames[0], len(frame))
		} else {
			require.Empty(t, frames)
		}
	}
	require.Less(t, time.Since(begin), 30*time.Second)
	require.Zero(t, cap(s.partial), "the buffer is dropped")
}
