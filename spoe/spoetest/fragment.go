package spoetest

import (
	"context"

	"github.com/spoke-go/spoke/codec"
)

// Fragments returns a NOTIFY whose payload goes out in pieces of at most size
// bytes (§3.2.1): a NOTIFY without FIN, then frames of type 0, the last of them
// with FIN. There are always at least two frames. They may be sent one by one
// with WriteFrames, with other streams' frames in between.
func Fragments(id ID, payload []byte, size int) []codec.Frame {
	size = max(size, 1)
	var frames []codec.Frame
	for t := codec.FrameNotify; len(frames) < 2 || len(payload) > 0; t = codec.FrameUnset {
		n := min(size, len(payload))
		frames = append(frames, codec.Frame{Type: t, StreamID: id.Stream, FrameID: id.Frame, Payload: payload[:n]})
		payload = payload[n:]
	}
	frames[len(frames)-1].Flags = codec.FlagFIN
	return frames
}

// NotifyFragments is Notify with the payload in Fragments of size bytes, all in
// one write.
func (c *Client) NotifyFragments(ctx context.Context, size int, msgs ...Message) (ID, error) {
	id := ID{Stream: c.stream.Add(2) - 2, Frame: 1}
	payload, err := Payload(msgs...)
	if err != nil {
		return id, err
	}
	return id, c.WriteFrames(ctx, Fragments(id, payload, size)...)
}
