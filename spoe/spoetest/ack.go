package spoetest

import (
	"context"
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// ID names a NOTIFY and its ACK.
type ID struct {
	Stream, Frame uint64
}

// String returns "stream-id/frame-id".
func (id ID) String() string { return fmt.Sprintf("%d/%d", id.Stream, id.Frame) }

// Ack is an ACK as it came.
type Ack struct {
	ID
	Flags   codec.Flags
	Payload []byte
}

// Vars reads the actions as HAProxy does. Where HAProxy would drop an action,
// and with it all that follow, silently (a malformed one, a name that is
// empty, too long or has other characters), Vars fails and says which; the same
// for an ACK without FIN, which HAProxy never takes as complete, and one with
// ABORT, which reports that the agent gave up on the NOTIFY.
func (a Ack) Vars() (Vars, error) {
	if a.Flags != codec.FlagFIN {
		return Vars{}, fmt.Errorf("spoetest: ACK %v has the flags %#x, want FIN alone (%#x)", a.ID, uint32(a.Flags), uint32(codec.FlagFIN))
	}
	actions, err := codec.ParseActions(a.Payload)
	if err != nil {
		return Vars{}, fmt.Errorf("spoetest: ACK %v: %w", a.ID, err)
	}
	for i, act := range actions {
		if err := codec.CheckVarName(act.Scope, act.Name); err != nil {
			return Vars{}, fmt.Errorf("spoetest: ACK %v: HAProxy drops action %d and all behind it: %w", a.ID, i, err)
		}
	}
	return Vars{actions: actions}, nil
}

// Ack waits for the ACK of one NOTIFY; frames that come before it are kept for
// the calls that want them. It fails with a *DisconnectError if the agent
// disconnects first, and with io.EOF if it closes.
func (c *Client) Ack(ctx context.Context, id ID) (Ack, error) {
	f, err := c.await(ctx, func(f *codec.Frame) bool {
		return f.Type == codec.FrameAck && f.StreamID == id.Stream && f.FrameID == id.Frame
	})
	if err != nil {
		return Ack{}, fmt.Errorf("spoetest: awaiting ACK %v: %w", id, err)
	}
	return ackOf(f), nil
}

// AnyAck waits for the next ACK, whatever NOTIFY it answers. It fails as Ack
// does.
func (c *Client) AnyAck(ctx context.Context) (Ack, error) {
	f, err := c.await(ctx, func(f *codec.Frame) bool { return f.Type == codec.FrameAck })
	if err != nil {
		return Ack{}, fmt.Errorf("spoetest: awaiting an ACK: %w", err)
	}
	return ackOf(f), nil
}

func ackOf(f codec.Frame) Ack {
	return Ack{ID: ID{f.StreamID, f.FrameID}, Flags: f.Flags, Payload: f.Payload}
}
