//go:build linux

package load

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

const score = 42

func ipMessage() Message {
	b := codec.AppendMessage(nil, "ip-rep", 1)
	return Message{
		Notify: codec.AppendArg(b, "ip", codec.Addr(netip.MustParseAddr("192.0.2.42"))),
		Ack:    codec.AppendSetVar(nil, codec.ScopeSession, "ip_score", codec.Int64(score)),
		Check:  true,
	}
}

// A generator that overlooks a wrong answer would flatter the agent.
func TestAckIsChecked(t *testing.T) {
	m := ipMessage()
	right := codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: 0, FrameID: 1, Payload: m.Ack}
	for _, tt := range []struct {
		name  string
		wrong func(*codec.Frame)
		want  string
	}{
		{"right", func(*codec.Frame) {}, ""},
		{"by another integer type", func(f *codec.Frame) {
			f.Payload = codec.AppendSetVar(nil, codec.ScopeSession, "ip_score", codec.Uint32(score))
		}, ""},
		{"no FIN", func(f *codec.Frame) { f.Flags = 0 }, "flags 0"},
		{"no ACK", func(f *codec.Frame) { f.Type = codec.FrameAgentDisconnect }, "AGENT-DISCONNECT"},
		{"stream-id", func(f *codec.Frame) { f.StreamID = 2 }, "not in flight"},
		{"stream-id not yet sent", func(f *codec.Frame) { f.StreamID, f.FrameID = 1, 2 }, "not in flight"},
		{"frame-id", func(f *codec.Frame) { f.FrameID = 2 }, "not in flight"},
		{"no action", func(f *codec.Frame) { f.Payload = nil }, "expected"},
		{"value", func(f *codec.Frame) {
			f.Payload = codec.AppendSetVar(nil, codec.ScopeSession, "ip_score", codec.Int64(41))
		}, "expected"},
		{"scope", func(f *codec.Frame) {
			f.Payload = codec.AppendSetVar(nil, codec.ScopeRequest, "ip_score", codec.Int64(score))
		}, "expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &conn{messages: []Message{m}, slots: make([]slot, 2), free: []int{1, 0}}
			k.notify(0, 0)
			f := right
			tt.wrong(&f)
			_, err := k.ack(f)
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			_, err = k.ack(f)
			require.ErrorContains(t, err, "not in flight", "the same ACK again")
		})
	}
}
