package capture_test

import (
	"net"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

func healthCheck() scenario {
	return scenario{
		name:  "healthcheck",
		about: "The health check of `option spop-check`: HAProxy says afterwards that the agent is up.",
		check: true,
		run: func(c *capture) ([][]byte, []golden.Frame) {
			frames := c.rec.wait(c.T, func(frames [][]byte, ended bool) bool { return ended && len(frames) > 1 })
			assert.Eventually(c, func() bool {
				return strings.Contains(c.haproxy.Command("show stat agents 4 -1"), ",L7OK,")
			}, waitLimit, tick, "no health check succeeds")
			want := c.hellos()
			want[0].Pairs = []golden.Pair{
				{Name: "supported-versions", Value: codec.String("2.0")},
				{Name: "max-frame-size", Value: codec.Uint32(16384 - 4)},
				{Name: "capabilities", Value: codec.String("")},
				{Name: "healthcheck", Value: codec.Bool(true)},
			}
			want[1].Pairs[2].Value = codec.String("fragmentation")
			return frames, want
		},
	}
}

func disconnect(t codec.FrameType, status codec.Status, text string) golden.Frame {
	return golden.Frame{Type: t, FIN: true, Pairs: []golden.Pair{
		{Name: "status-code", Value: codec.Uint32(uint32(status))},
		{Name: "message", Value: codec.String(text)},
	}}
}

func idle() scenario {
	return scenario{
		name:  "idle",
		about: "HAProxy takes leave of a connection that was idle, and the agent answers.",
		upTo:  "3.1", // later ones close without a DISCONNECT
		idle:  "200ms",
		messages: []message{
			{name: "check", args: []arg{{"ip", "src", addr("127.0.0.1")}}},
		},
		run: func(c *capture) ([][]byte, []golden.Frame) {
			c.request("GET /idle HTTP/1.1\r\n", "Host: example.com\r\n", "\r\n")
			c.accepted(1)
			return c.firstConnection(6), append(c.hellos(), notify(wants(c.messages)...), ack(),
				disconnect(codec.FrameHAProxyDisconnect, codec.StatusTimeout, "a timeout occurred"),
				disconnect(codec.FrameAgentDisconnect, codec.StatusNormal, "normal"))
		},
	}
}

// refused has an agent of SPOP 1.0, which no HAProxy speaks.
func refused() scenario {
	old := codec.AgentHello{Version: "1.0", MaxFrameSize: 16380, Capabilities: "pipelining"}
	return scenario{
		name:  "refused",
		about: "HAProxy refuses the hello of a scripted agent that speaks SPOP 1.0 only.",
		wait:  "200ms",
		messages: []message{
			{name: "check", args: []arg{{"ip", "src", addr("127.0.0.1")}}},
		},
		agent: func(conn net.Conn) {
			defer conn.Close()
			b := make([]byte, 16384)
			if _, err := conn.Read(b); err != nil {
				return // HAProxy tries several connections, and may give one up
			}
			conn.Write(codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: old.Append(nil)}))
			conn.Read(b) // the DISCONNECT, or the end
		},
		run: func(c *capture) ([][]byte, []golden.Frame) {
			c.request("GET /refused HTTP/1.1\r\n", "Host: example.com\r\n", "\r\n")
			want := c.hellos()
			want[1].Pairs[0].Value = codec.String("1.0")
			want[1].Pairs[2].Value = codec.String("pipelining")
			return c.firstConnection(3), append(want, disconnect(codec.FrameHAProxyDisconnect, codec.StatusBadVersion, "unsupported version"))
		},
	}
}
