package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/bench/internal/shape"
)

// The floor indexes wire bytes by itself; the codec says whether it does so
// rightly.
func TestAnswer(t *testing.T) {
	s, err := shape.Named("request")
	require.NoError(t, err)
	var notifies, want []byte
	ids := []uint64{0, 1, 239, 240, 2287, 2288, 264431, 264432, math.MaxUint64}
	for _, stream := range ids {
		for _, frame := range ids {
			f := codec.Frame{Flags: codec.FlagFIN, StreamID: stream, FrameID: frame}
			f.Type, f.Payload = codec.FrameNotify, s.Notify
			notifies = codec.AppendFrame(notifies, f)
			f.Type, f.Payload = codec.FrameAck, s.Ack
			want = codec.AppendFrame(want, f)
		}
	}
	for _, cut := range []int{0, 1, 100, len(notifies) - 1, len(notifies)} {
		rest, got, more := answer(notifies[:cut], nil, s.Ack)
		require.True(t, more)
		_, got, more = answer(append(append([]byte{}, rest...), notifies[cut:]...), got, s.Ack)
		require.True(t, more)
		require.Equal(t, want, got)
	}
}

func TestAnswerGarbage(t *testing.T) {
	for _, b := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x06abcdef", "\x00\x00\x00\x07\x03\x00\x00\x00\x01\xff\xff"} {
		require.NotPanics(t, func() { answer([]byte(b), nil, nil) })
	}
}
