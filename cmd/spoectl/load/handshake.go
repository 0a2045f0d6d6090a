//go:build linux

package load

import (
	"errors"
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// hello does the handshake; the socket blocks, with a timeout.
func (k *conn) hello(c *Config) error {
	h := codec.HAProxyHello{
		SupportedVersions: codec.Version,
		MaxFrameSize:      c.MaxFrameSize,
		Capabilities:      codec.CapPipelining,
		EngineID:          "00000000-0000-4000-8000-000000000000",
	}
	frame := codec.AppendFrame(nil, codec.Frame{
		Type:    codec.FrameHAProxyHello,
		Flags:   codec.FlagFIN,
		Payload: h.Append(nil),
	})
	if _, err := k.sock.write(frame); err != nil {
		return err
	}
	f, err := k.oneFrame()
	if err != nil {
		return err
	}
	if f.Type != codec.FrameAgentHello {
		return fmt.Errorf("%s instead of an AGENT-HELLO%s", f.Type, reason(f))
	}
	answer, err := codec.ParseAgentHello(f.Payload)
	switch {
	case err != nil:
		return err
	case !answer.Has(codec.CapPipelining) && c.InFlight > 1:
		return errors.New("the agent does not pipeline: have one NOTIFY in flight only")
	}
	for i, m := range c.Messages {
		if n := len(m.Notify) + maxHeader; n > int(answer.MaxFrameSize) {
			return fmt.Errorf("message %d makes a frame of %d bytes, and the agent takes %d", i+1, n, answer.MaxFrameSize)
		}
	}
	return nil
}

// disconnect sends HAProxy's DISCONNECT and waits for the agent to close. Before that, only
// the AGENT-DISCONNECT may come: an ACK too many would show here.
func (k *conn) disconnect() error {
	defer func() {
		k.sock.reset()
		k.sock = -1
	}()
	if err := k.sock.nonblocking(false); err != nil {
		return err
	}
	d := codec.Disconnect{Message: codec.StatusNormal.String()}
	frame := codec.AppendFrame(nil, codec.Frame{
		Type:    codec.FrameHAProxyDisconnect,
		Flags:   codec.FlagFIN,
		Payload: d.Append(nil),
	})
	if _, err := k.sock.write(frame); err != nil {
		return err
	}
	f, err := k.oneFrame()
	if err != nil {
		return err
	}
	if f.Type != codec.FrameAgentDisconnect {
		return fmt.Errorf("%s instead of an AGENT-DISCONNECT", f.Type)
	}
	switch n, err := k.sock.read(k.in); {
	case errors.Is(err, errClosed):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("%d bytes behind the AGENT-DISCONNECT, or no close within %v", n, helloTimeout)
	}
}

func disconnectAll(conns []*conn) error {
	for i, k := range conns {
		if err := k.disconnect(); err != nil {
			closeAll(conns[i+1:])
			return fmt.Errorf("disconnect of connection %d: %w", i+1, err)
		}
	}
	return nil
}

// oneFrame reads one frame from a socket that blocks, and nothing may be behind
// it.
func (k *conn) oneFrame() (codec.Frame, error) {
	for have := 0; ; {
		n, err := k.sock.read(k.in[have:])
		if err != nil {
			return codec.Frame{}, err
		}
		if n == 0 {
			return codec.Frame{}, fmt.Errorf("no answer within %v", helloTimeout)
		}
		have += n
		size, ok := codec.FrameLength(k.in[:have])
		switch whole := int(size) + codec.LengthSize; {
		case !ok || have < whole && whole <= len(k.in):
		case have == whole:
			return codec.ParseFrame(k.in[codec.LengthSize:have])
		default:
			return codec.Frame{}, fmt.Errorf("%d bytes with a frame of %d", have, whole)
		}
	}
}
