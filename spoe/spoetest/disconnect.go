package spoetest

import (
	"context"
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// DisconnectError is the error of a call that wants another frame and gets an
// AGENT-DISCONNECT (§3.2.9).
type DisconnectError struct {
	Status codec.Status
	// Message is the text of the frame.
	Message string
}

func (e *DisconnectError) Error() string {
	return fmt.Sprintf("spoetest: disconnected by the agent: status %d (%s): %s", uint32(e.Status), e.Status, e.Message)
}

// disconnectError reads an AGENT-DISCONNECT into a *DisconnectError.
func disconnectError(f codec.Frame) error {
	d, err := codec.ParseDisconnect(f.Payload)
	if err != nil {
		return fmt.Errorf("AGENT-DISCONNECT: %w", err)
	}
	return &DisconnectError{Status: d.Status, Message: d.Message}
}

// Disconnect sends a HAPROXY-DISCONNECT and waits for the agent's, as
// ReadDisconnect does. The connection is then to be closed.
func (c *Client) Disconnect(ctx context.Context, status codec.Status, message string) (codec.Disconnect, error) {
	d := codec.Disconnect{Status: status, Message: message}
	if err := c.WriteFrames(ctx, DisconnectFrame(d)); err != nil {
		return codec.Disconnect{}, err
	}
	return c.ReadDisconnect(ctx)
}

// DisconnectFrame returns a HAPROXY-DISCONNECT.
func DisconnectFrame(d codec.Disconnect) codec.Frame {
	return codec.Frame{Type: codec.FrameHAProxyDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)}
}

// ReadDisconnect reads up to the end of the connection, passing over ACKs, and
// returns the AGENT-DISCONNECT. It fails if there is none, if it is not the last
// frame, if it has other ids than 0 or no FIN, or if the connection does not end
// in order after it: a reset may take the frame away from HAProxy.
func (c *Client) ReadDisconnect(ctx context.Context) (codec.Disconnect, error) {
	frames, err := c.Drain(ctx)
	return LastDisconnect(frames, err)
}

// LastDisconnect returns the AGENT-DISCONNECT that ends frames, and an error unless it
// is the last frame and well formed. end is the error that ended the connection.
// [Client.Drain] returns both.
func LastDisconnect(frames []codec.Frame, end error) (codec.Disconnect, error) {
	if len(frames) == 0 {
		if end != nil {
			return codec.Disconnect{}, fmt.Errorf("spoetest: no AGENT-DISCONNECT: %w", end)
		}
		return codec.Disconnect{}, fmt.Errorf("spoetest: the connection was closed without an AGENT-DISCONNECT")
	}
	last := frames[len(frames)-1]
	for i, f := range frames {
		if f.Type == codec.FrameAgentDisconnect && i < len(frames)-1 {
			return codec.Disconnect{}, fmt.Errorf("spoetest: %v after the AGENT-DISCONNECT", frames[i+1].Type)
		}
	}
	if last.Type != codec.FrameAgentDisconnect {
		return codec.Disconnect{}, fmt.Errorf("spoetest: the last frame is %v, want AGENT-DISCONNECT (the connection's end: %v)", last.Type, end)
	}
	d, err := codec.ParseDisconnect(last.Payload)
	switch {
	case err != nil:
		return d, fmt.Errorf("spoetest: AGENT-DISCONNECT: %w", err)
	case last.StreamID != 0 || last.FrameID != 0 || last.Flags != codec.FlagFIN:
		return d, fmt.Errorf("spoetest: AGENT-DISCONNECT %d with stream-id %d, frame-id %d, flags %#x, want 0, 0, FIN", uint32(d.Status), last.StreamID, last.FrameID, uint32(last.Flags))
	case end != nil:
		return d, fmt.Errorf("spoetest: the connection did not end in order after AGENT-DISCONNECT %d: %w", uint32(d.Status), end)
	}
	return d, nil
}
