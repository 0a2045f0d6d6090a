package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestCutFrame(t *testing.T) {
	one := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameNotify, Flags: codec.FlagFIN, StreamID: 1, FrameID: 2, Payload: []byte("abc")})
	two := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN})
	b := append(append([]byte(nil), one...), two...)
	longest := uint32(len(one) - codec.LengthSize)
	for n := range len(one) {
		frame, rest, whole, err := codec.CutFrame(b[:n], longest)
		require.NoError(t, err)
		assert.False(t, whole)
		assert.Nil(t, frame)
		assert.Equal(t, b[:n], rest)
	}
	frame, rest, whole, err := codec.CutFrame(b, longest)
	require.NoError(t, err)
	require.True(t, whole)
	assert.Equal(t, one[codec.LengthSize:], frame)
	assert.Equal(t, len(frame), cap(frame), "an append to it copies")
	assert.Equal(t, two, rest)
	frame, rest, whole, err = codec.CutFrame(rest, codec.MinFrameLength) // the shortest there is
	require.NoError(t, err)
	assert.True(t, whole)
	assert.Len(t, frame, codec.MinFrameLength)
	assert.Empty(t, rest)

	var e *codec.Error
	_, _, whole, err = codec.CutFrame(b, longest-1)
	require.ErrorAs(t, err, &e)
	assert.False(t, whole)
	assert.Equal(t, codec.StatusTooBig, e.Status)
	_, _, _, err = codec.CutFrame([]byte("GET / HTTP/1.1"), 1<<20)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, codec.StatusTooBig, e.Status)
	_, _, whole, err = codec.CutFrame([]byte{0, 0, 0, 6}, longest)
	require.ErrorAs(t, err, &e)
	assert.False(t, whole)
	assert.Equal(t, codec.StatusInvalid, e.Status)
	_, _, whole, err = codec.CutFrame([]byte{0xff, 0xff, 0xff, 0xff}, 1<<32-1)
	require.NoError(t, err)
	assert.False(t, whole)
}

func fragment(typ codec.FrameType, flags codec.Flags, stream uint64, payload string) codec.Frame {
	return codec.Frame{Type: typ, Flags: flags, StreamID: stream, FrameID: 1, Payload: []byte(payload)}
}

func TestAssembler(t *testing.T) {
	const notify, unset, fin, abort = codec.FrameNotify, codec.FrameUnset, codec.FlagFIN, codec.FlagABORT
	type step struct {
		frame   codec.Frame
		whole   string // the payload, or "" for none
		status  codec.Status
		tooLong bool
		open    int
		bytes   int
	}
	for name, steps := range map[string][]step{
		"whole": {{frame: fragment(notify, fin, 0, "abc"), whole: "abc"}},
		"three fragments": {
			{frame: fragment(notify, 0, 1, "ab"), open: 1, bytes: 2}, {frame: fragment(unset, 0, 1, "cd"), open: 1, bytes: 4},
			{frame: fragment(unset, fin, 1, "e"), whole: "abcde"}, {frame: fragment(unset, fin, 1, "e"), status: codec.StatusNoFrameID},
		},
		"two at once": {
			{frame: fragment(notify, 0, 1, "ab"), open: 1, bytes: 2}, {frame: fragment(notify, 0, 2, "x"), open: 2, bytes: 3},
			{frame: fragment(notify, fin, 3, "whole"), whole: "whole", open: 2, bytes: 3},
			{frame: fragment(unset, fin, 1, "c"), whole: "abc", open: 1, bytes: 1}, {frame: fragment(unset, fin, 2, "y"), whole: "xy"},
		},
		"aborted": {
			{frame: fragment(notify, 0, 1, "ab"), open: 1, bytes: 2}, {frame: fragment(unset, fin|abort, 1, "")},
			{frame: fragment(notify, fin|abort, 1, "")}, {frame: fragment(notify, fin, 1, "new"), whole: "new"},
		},
		"interlaced": {
			{frame: fragment(notify, 0, 1, "ab"), open: 1, bytes: 2}, {frame: fragment(notify, 0, 1, "ab"), status: codec.StatusInterlaced, open: 1, bytes: 2},
		},
		"too many": {
			{frame: fragment(notify, 0, 1, ""), open: 1}, {frame: fragment(notify, 0, 2, ""), open: 2}, {frame: fragment(notify, 0, 3, ""), open: 3},
			{frame: fragment(notify, 0, 4, ""), status: codec.StatusInterlaced, open: 3}, {frame: fragment(notify, fin, 4, "x"), whole: "x", open: 3},
		},
		"as long as may be": {{frame: fragment(notify, 0, 1, "12345"), open: 1, bytes: 5}, {frame: fragment(unset, fin, 1, "67890"), whole: "1234567890"}},
		"too long": {
			{frame: fragment(notify, 0, 2, "x"), open: 1, bytes: 1}, {frame: fragment(notify, 0, 1, "12345"), open: 2, bytes: 6},
			{frame: fragment(unset, 0, 1, "67890"), tooLong: true, open: 2, bytes: 1}, {frame: fragment(unset, 0, 1, "a"), open: 2, bytes: 1},
			{frame: fragment(unset, fin, 1, "b"), open: 1, bytes: 1}, {frame: fragment(unset, fin, 2, "y"), whole: "xy"},
		},
		"too long, then again": {
			{frame: fragment(notify, 0, 1, "12345678901"), tooLong: true, open: 1}, {frame: fragment(notify, 0, 1, "ab"), open: 1, bytes: 2},
			{frame: fragment(unset, fin, 1, "c"), whole: "abc"},
		},
		"too long, then whole": {
			{frame: fragment(notify, 0, 1, "12345678901"), tooLong: true, open: 1}, {frame: fragment(notify, fin, 1, "ab"), whole: "ab"},
			{frame: fragment(unset, fin, 1, "c"), status: codec.StatusNoFrameID},
		},
		"too long at the end": {{frame: fragment(notify, 0, 1, "12345"), open: 1, bytes: 5}, {frame: fragment(unset, fin, 1, "678901"), tooLong: true}},
		"another type":        {{frame: fragment(codec.FrameAck, fin, 1, ""), status: codec.StatusInvalid}},
	} {
		t.Run(name, func(t *testing.T) {
			a := codec.Assembler{MaxBytes: 10, MaxPayloads: 3}
			for i, s := range steps {
				payload, whole, err := a.Add(s.frame)
				assert.Equal(t, s.whole != "", whole, i)
				assert.Equal(t, s.whole, string(payload), i)
				assert.Equal(t, s.open, a.Len(), i)
				assert.Equal(t, s.bytes, a.Bytes(), i)
				switch {
				case s.tooLong:
					assert.ErrorIs(t, err, codec.ErrPayloadTooLong, i)
				case s.status != 0:
					var e *codec.Error
					require.ErrorAs(t, err, &e, i)
					assert.Equal(t, s.status, e.Status, i)
				default:
					require.NoError(t, err, i)
				}
			}
			a.Reset()
			assert.Zero(t, a.Len()+a.Bytes())
		})
	}
	one := codec.Assembler{MaxPayloads: 1}
	_, _, err := one.Add(fragment(notify, 0, 1, "a"))
	require.NoError(t, err)
	_, _, err = one.Add(fragment(notify, 0, 2, "a"))
	require.Error(t, err)
	one = codec.Assembler{MaxBytes: 1}
	_, _, err = one.Add(fragment(notify, 0, 1, "ab"))
	require.ErrorIs(t, err, codec.ErrPayloadTooLong)
	var unbounded codec.Assembler
	for i := range uint64(100) {
		_, whole, err := unbounded.Add(fragment(notify, 0, i, "1234567890"))
		require.NoError(t, err)
		assert.False(t, whole)
	}
	assert.Equal(t, 1000, unbounded.Bytes())
}
