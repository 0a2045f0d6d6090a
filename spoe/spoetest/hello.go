package spoetest

import (
	"context"
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// Hello is a HAPROXY-HELLO's payload.
type Hello = codec.HAProxyHello

// DefaultHello returns the hello of HAProxy 3.2 with its default bufsize.
func DefaultHello() Hello {
	return Hello{
		SupportedVersions: codec.Version,
		MaxFrameSize:      16380,
		Capabilities:      codec.CapPipelining,
		EngineID:          "5a3c2b4e-7d61-4f0a-9c1e-2b8f6d0e4a17",
	}
}

// HelloFrame returns a HAPROXY-HELLO with this payload.
func HelloFrame(payload []byte) codec.Frame {
	return codec.Frame{Type: codec.FrameHAProxyHello, Flags: codec.FlagFIN, Payload: payload}
}

// Handshake sends a HAPROXY-HELLO and reads the AGENT-HELLO. It makes HAProxy's checks:
// version 2.x, a size of 256 bytes to the one offered, stream-id and frame-id 0, FIN.
// It fails with a *DisconnectError if the agent refuses.
func (c *Client) Handshake(ctx context.Context, h Hello) (codec.AgentHello, error) {
	return c.HandshakeRaw(ctx, h.Append(nil), h.MaxFrameSize)
}

// HandshakeRaw is Handshake with any payload. offered is the payload's max-frame-size in
// bytes; 0 takes any size.
func (c *Client) HandshakeRaw(ctx context.Context, payload []byte, offered uint32) (codec.AgentHello, error) {
	if err := c.WriteFrames(ctx, HelloFrame(payload)); err != nil {
		return codec.AgentHello{}, err
	}
	return c.readHello(ctx, offered)
}

func (c *Client) readHello(ctx context.Context, offered uint32) (codec.AgentHello, error) {
	f, err := c.Next(ctx)
	if err != nil {
		return codec.AgentHello{}, fmt.Errorf("handshake: %w", err)
	}
	switch {
	case f.Type == codec.FrameAgentDisconnect:
		return codec.AgentHello{}, fmt.Errorf("spoetest: handshake: %w", disconnectError(f))
	case f.Type != codec.FrameAgentHello:
		return codec.AgentHello{}, fmt.Errorf("spoetest: handshake: got %v, want AGENT-HELLO", f.Type)
	case f.StreamID != 0 || f.FrameID != 0 || f.Flags != codec.FlagFIN:
		return codec.AgentHello{}, fmt.Errorf("spoetest: AGENT-HELLO with stream-id %d, frame-id %d, flags %#x, want 0, 0, FIN", f.StreamID, f.FrameID, uint32(f.Flags))
	}
	h, err := codec.ParseAgentHello(f.Payload)
	if err != nil {
		return h, fmt.Errorf("spoetest: AGENT-HELLO: %w", err)
	}
	if offered == 0 {
		offered = maxFrame
	}
	switch {
	case len(h.Version) < 3 || h.Version[:2] != "2.":
		return h, fmt.Errorf("spoetest: AGENT-HELLO with version %q, want 2.x", h.Version)
	case h.MaxFrameSize < codec.MinMaxFrameSize || h.MaxFrameSize > offered:
		return h, fmt.Errorf("spoetest: AGENT-HELLO with max-frame-size %d, want %d to %d", h.MaxFrameSize, codec.MinMaxFrameSize, offered)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hello, c.limit = h, h.MaxFrameSize
	return h, nil
}
