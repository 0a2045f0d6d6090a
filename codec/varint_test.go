package codec_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// varintEdges are the first values that need one byte more, and how many.
var varintEdges = []struct {
	first uint64
	bytes int
}{
	{240, 2}, {2288, 3}, {264432, 4}, {33818864, 5}, {4328786160, 6}, {554084600048, 7},
	{70922828777712, 8}, {9078122083518704, 9}, {1161999626690365680, 10},
}

// edges are the integers at which something changes: the length of a varint,
// or the type that holds them.
func edges() []uint64 {
	all := []uint64{0, 1, 2, 127, 128, 255, 256}
	for _, e := range varintEdges {
		all = append(all, e.first-1, e.first, e.first+1)
	}
	for _, bits := range []int{7, 8, 15, 16, 31, 32, 63} {
		all = append(all, 1<<bits-1, 1<<bits, 1<<bits+1, -(1<<bits - 1), -(1 << bits), -(1<<bits + 1))
	}
	all = append(all, math.MaxUint64-1, math.MaxUint64)
	return all
}

func TestVarintLengths(t *testing.T) {
	for _, e := range varintEdges {
		assert.Equal(t, e.bytes-1, codec.VarintLen(e.first-1), e.first-1)
		assert.Equal(t, e.bytes, codec.VarintLen(e.first), e.first)
		assert.Len(t, codec.AppendVarint(nil, e.first-1), e.bytes-1)
		assert.Len(t, codec.AppendVarint(nil, e.first), e.bytes)
	}
	assert.Len(t, codec.AppendVarint(nil, math.MaxUint64), codec.MaxVarintLen)
}

// TestVarintBytes compares encodings with the bytes that §3.1 asks for.
func TestVarintBytes(t *testing.T) {
	for v, want := range map[uint64][]byte{
		0:              {0},
		239:            {239},
		240:            {0xf0, 0},
		241:            {0xf1, 0},
		255:            {0xff, 0},
		256:            {0xf0, 1},
		2287:           {0xff, 0x7f},
		2288:           {0xf0, 0x80, 0},
		264431:         {0xff, 0xff, 0x7f},
		264432:         {0xf0, 0x80, 0x80, 0},
		math.MaxUint64: {0xff, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0e},
	} {
		assert.Equal(t, want, codec.AppendVarint(nil, v), v)
	}
}

// TestVarintRoundTrip reads varints back as the ids of a frame, which take all
// 64 bits.
func TestVarintRoundTrip(t *testing.T) {
	try := func(a, b uint64) {
		t.Helper()
		raw := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameNotify, StreamID: a, FrameID: b})
		f, err := codec.ParseFrame(raw[codec.LengthSize:])
		require.NoError(t, err)
		require.Equal(t, a, f.StreamID)
		require.Equal(t, b, f.FrameID)
		require.Empty(t, f.Payload)
		require.Equal(t, codec.VarintLen(a), len(codec.AppendVarint(nil, a)))
	}
	for _, e := range edges() {
		try(e, ^e)
	}
	for range 10000 {
		try(rand.Uint64()>>rand.IntN(64), rand.Uint64()>>rand.IntN(64))
	}
}

func TestVarintRefused(t *testing.T) {
	full := codec.AppendVarint(nil, math.MaxUint64)
	over := append([]byte{}, full...)
	over[0], over[1] = 0xf0, 0xf1 // 2^64
	tests := map[string][]byte{
		"2^64":          over,
		"eleven bytes":  {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0},
		"ten of ones":   {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"broken off":    {0xf0},
		"broken off, 2": {0xff, 0xff},
		"nothing":       {},
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			b := append([]byte{0, byte(codec.TypeUint64)}, raw...)
			err := codec.NewArgs(b, 1).Err()
			var e *codec.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, codec.StatusInvalid, e.Status)
		})
	}
}
