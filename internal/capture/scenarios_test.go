package capture_test

import (
	"net/netip"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

func scenarios() []scenario {
	return []scenario{
		values(), lengths(), request(), actions(), healthCheck(), idle(), refused(), fragments(),
	}
}

// hellos are the frames that begin each connection.
func (c *capture) hellos() []golden.Frame {
	size := uint32(16384 - 4)
	if c.bufsize > 0 {
		size = uint32(c.bufsize) - 4
	}
	caps := "pipelining,async"
	if c.bin.AtLeast("3.1") {
		caps = "pipelining"
	}
	return []golden.Frame{
		{Type: codec.FrameHAProxyHello, FIN: true, Pairs: []golden.Pair{
			{Name: "supported-versions", Value: codec.String("2.0")},
			{Name: "max-frame-size", Value: codec.Uint32(size)},
			{Name: "capabilities", Value: codec.String(caps)},
			{Name: "engine-id"},
		}},
		{Type: codec.FrameAgentHello, FIN: true, Pairs: []golden.Pair{
			{Name: "version", Value: codec.String("2.0")},
			{Name: "max-frame-size", Value: codec.Uint32(size)},
			{Name: "capabilities", Value: codec.String("pipelining,fragmentation")},
		}},
	}
}

func notify(ms ...golden.Message) golden.Frame {
	return golden.Frame{Type: codec.FrameNotify, FIN: true, Messages: ms}
}

func ack(actions ...codec.Action) golden.Frame {
	return golden.Frame{Type: codec.FrameAck, FIN: true, Actions: actions}
}

// firstConnection are the frames of the connection with n of them.
func (c *capture) firstConnection(n int) [][]byte {
	c.Helper()
	return c.rec.wait(c.T, func(frames [][]byte, _ bool) bool { return len(frames) >= n })
}

func addr(s string) codec.Value { return codec.Addr(netip.MustParseAddr(s)) }
