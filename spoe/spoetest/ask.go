package spoetest

import (
	"context"

	"github.com/spoke-go/spoke/codec"
)

// Ask sends a NOTIFY with one message and returns the variables that the ACK
// sets. It fails as Ack and Ack.Vars do.
func (c *Client) Ask(ctx context.Context, message string, args ...Argument) (Vars, error) {
	return c.AskAll(ctx, Msg(message, args...))
}

// AskAll is Ask with any number of messages in the one NOTIFY.
func (c *Client) AskAll(ctx context.Context, msgs ...Message) (Vars, error) {
	id, err := c.Notify(ctx, msgs...)
	if err != nil {
		return Vars{}, err
	}
	ack, err := c.Ack(ctx, id)
	if err != nil {
		return Vars{}, err
	}
	return ack.Vars()
}

// Notify sends a NOTIFY with the next stream-id (1, 3, 5…, as HAProxy 3.1 and
// later have them) and frame-id 1, and does not wait for the ACK.
func (c *Client) Notify(ctx context.Context, msgs ...Message) (ID, error) {
	id := ID{Stream: c.stream.Add(2) - 2, Frame: 1}
	return id, c.NotifyAs(ctx, id, msgs...)
}

// NotifyAs is Notify with ids of the caller's.
func (c *Client) NotifyAs(ctx context.Context, id ID, msgs ...Message) error {
	payload, err := Payload(msgs...)
	if err != nil {
		return err
	}
	return c.WriteFrames(ctx, NotifyFrame(id, payload))
}

// NotifyFrame returns a NOTIFY with this payload.
func NotifyFrame(id ID, payload []byte) codec.Frame {
	return codec.Frame{Type: codec.FrameNotify, Flags: codec.FlagFIN, StreamID: id.Stream, FrameID: id.Frame, Payload: payload}
}
