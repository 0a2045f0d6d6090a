package codec_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestFrameRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty": {}, "six bytes": {3, 0, 0, 0, 1, 0},
		"stream-id broken off": {3, 0, 0, 0, 1, 0xff, 0xff},
		"frame-id broken off":  {3, 0, 0, 0, 1, 0, 0xff},
		"http":                 []byte("GET / HTTP\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")[:6],
	} {
		_, err := codec.ParseFrame(b)
		var e *codec.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, codec.StatusInvalid, e.Status, name)
	}
	f, err := codec.ParseFrame([]byte{3, 0, 0, 0, 1, 0, 0})
	require.NoError(t, err)
	assert.True(t, f.FIN())
	assert.False(t, f.ABORT())
	f, err = codec.ParseFrame([]byte{3, 0, 0, 0, 2, 0, 0})
	require.NoError(t, err)
	assert.False(t, f.FIN())
	assert.True(t, f.ABORT())
}

func TestMessagesRoundTrip(t *testing.T) {
	var b []byte
	long := strings.Repeat("n", 300)
	for _, n := range []int{0, 1, 255} {
		b = codec.AppendMessage(b, long, n)
		for range n {
			b = codec.AppendArg(b, "", codec.Int64(math.MinInt64))
		}
	}
	msgs := codec.NewMessages(b)
	var counts []int
	for msgs.Next() {
		m := msgs.Message()
		assert.Equal(t, long, string(m.Name))
		counts = append(counts, m.Args.Len())
		require.NoError(t, m.Args.Err())
		n := 0
		for name, v := range m.Args.All() {
			assert.Empty(t, name)
			assert.True(t, codec.Int64(math.MinInt64).Equal(v))
			n++
		}
		assert.Equal(t, m.Args.Len(), n)
	}
	require.NoError(t, msgs.Err())
	assert.Equal(t, []int{0, 1, 255}, counts)

	// Each prefix of it is refused, or holds fewer messages: never a panic.
	for i := range len(b) {
		n, err := codec.CheckMessages(b[:i])
		assert.True(t, err != nil || n < 3)
	}
	n, err := codec.CheckMessages(b)
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	assert.Panics(t, func() { codec.AppendMessage(nil, "m", 256) })
	assert.Panics(t, func() { codec.AppendMessage(nil, "m", -1) })
}

func TestActionsRoundTrip(t *testing.T) {
	var b []byte
	b = codec.AppendSetVar(b, codec.ScopeProcess, "a", codec.Int64(-1))
	b = codec.AppendUnsetVar(b, codec.ScopeResponse, "b")
	b = codec.AppendSetVar(b, codec.ScopeSession, "c", codec.Null())
	acts, err := codec.ParseActions(b)
	require.NoError(t, err)
	require.Len(t, acts, 3)
	assert.Equal(t, "a", acts[0].Name)
	assert.True(t, codec.Int64(-1).Equal(acts[0].Value))
	assert.True(t, acts[1].Unset)
	assert.Equal(t, codec.ScopeResponse, acts[1].Scope)
	assert.True(t, acts[2].Value.IsNull())
	for name, raw := range map[string][]byte{
		"type": {3, 3, 0, 1, 'a', 0}, "count": {1, 2, 0, 1, 'a', 0}, "scope": {1, 3, 5, 1, 'a', 0}, "short": {1}, "value": {1, 3, 0, 1, 'a'},
	} {
		_, err := codec.ParseActions(raw)
		assert.Error(t, err, name)
	}
	for _, raw := range [][]byte{{3, 3, 0, 1, 'a'}, {1, 2, 0, 1, 'a'}, {2, 3, 0, 1, 'a'}} { // nothing behind them is wrong
		_, err := codec.ParseActions(raw)
		assert.ErrorContains(t, err, "action of type", "% x", raw)
	}
}

// TestNextEndsAtAMistake: Next returns no message that did not come whole.
func TestNextEndsAtAMistake(t *testing.T) {
	for _, raw := range [][]byte{{1}, {1, 'm'}, {1, 'm', 1}, {1, 'm', 1, 1, 'a'}, {1, 'm', 1, 1, 'a', 0x0f}} {
		msgs := codec.NewMessages(raw)
		assert.False(t, msgs.Next(), "% x", raw)
		assert.Error(t, msgs.Err(), "% x", raw)
		assert.False(t, msgs.Next(), "% x", raw)
	}
}

func TestHelloRoundTrip(t *testing.T) {
	want := codec.HAProxyHello{SupportedVersions: "1.0, 2.0", MaxFrameSize: math.MaxUint32, Capabilities: "pipelining, async", EngineID: "x"}
	got, err := codec.ParseHAProxyHello(want.Append(nil))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.True(t, got.Pipelining())
	check := codec.HAProxyHello{SupportedVersions: "2.3", MaxFrameSize: 256, Healthcheck: true}
	got, err = codec.ParseHAProxyHello(check.Append(nil))
	require.NoError(t, err)
	assert.Equal(t, check, got)

	agent := codec.AgentHello{Version: "2.0", MaxFrameSize: 16380, Capabilities: "pipelining"}
	gotAgent, err := codec.ParseAgentHello(agent.Append(nil))
	require.NoError(t, err)
	assert.Equal(t, agent, gotAgent)

	bye := codec.Disconnect{Status: codec.StatusTooBig, Message: "frame is too big"}
	gotBye, err := codec.ParseDisconnect(bye.Append(nil))
	require.NoError(t, err)
	assert.Equal(t, bye, gotBye)
}

func TestHelloStatus(t *testing.T) {
	versions := kv{"supported-versions", codec.String("2.0")}
	size := kv{"max-frame-size", codec.Uint32(16380)}
	caps := kv{"capabilities", codec.String("")}
	tests := []struct {
		name string
		kvs  []kv
		want codec.Status
	}{
		{"good", []kv{versions, size, caps}, 0},
		{"any integer", []kv{versions, {"max-frame-size", codec.Int64(1 << 40)}, caps}, 0},
		{"unknown keys", []kv{{"x", codec.Null()}, {"", codec.Addr(v4)}, versions, size, caps}, 0},
		{"binary", []kv{{"supported-versions", codec.Binary([]byte("2"))}, {"supported-versions", codec.String(" 1.0 ,2.17")}, size, caps}, 0},
		{"no versions", []kv{size, caps}, codec.StatusNoVersion},
		{"no size", []kv{versions, caps}, codec.StatusNoMaxFrameSize},
		{"no capabilities", []kv{versions, size}, codec.StatusNoCapabilities},
		{"old", []kv{{"supported-versions", codec.String("1.0")}, size, caps}, codec.StatusBadVersion},
		{"no minor", []kv{{"supported-versions", codec.String("2.")}, size, caps}, codec.StatusBadVersion},
		{"highest digit", []kv{{"supported-versions", codec.String("2.9")}, size, caps}, 0},
		{"below the digits", []kv{{"supported-versions", codec.String("2./")}, size, caps}, codec.StatusBadVersion},
		{"above the digits", []kv{{"supported-versions", codec.String("2.:")}, size, caps}, codec.StatusBadVersion},
		{"text behind a digit", []kv{{"supported-versions", codec.String("2.0x")}, size, caps}, codec.StatusBadVersion},
		{"small", []kv{versions, {"max-frame-size", codec.Int32(255)}, caps}, codec.StatusBadFrameSize},
		{"negative", []kv{versions, {"max-frame-size", codec.Int32(-1)}, caps}, codec.StatusBadFrameSize},
		{"version is a number", []kv{{"supported-versions", codec.Int64(2)}, size, caps}, codec.StatusInvalid},
		{"size is a string", []kv{versions, {"max-frame-size", codec.String("16380")}, caps}, codec.StatusInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := codec.ParseHAProxyHello(argsOf(test.kvs...).Raw())
			if test.want == 0 {
				require.NoError(t, err)
				return
			}
			var e *codec.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.want, e.Status)
		})
	}
}

func TestCheckVarName(t *testing.T) {
	assert.NoError(t, codec.CheckVarName(codec.ScopeProcess, strings.Repeat("a", 58)))
	assert.NoError(t, codec.CheckVarName(codec.ScopeProcess, "azAZ09_."))
	for _, name := range []string{"", "a-b", "a b", "é", "@", "[", "`", "{", "/", ":", strings.Repeat("a", 59)} {
		assert.Error(t, codec.CheckVarName(codec.ScopeProcess, name), name)
	}
	assert.Error(t, codec.CheckVarName(codec.ScopeResponse+1, "a"))
}

func TestNames(t *testing.T) {
	for s := codec.ScopeProcess; s <= codec.ScopeResponse; s++ {
		got, ok := codec.ParseScope(s.String())
		assert.True(t, ok)
		assert.Equal(t, s, got)
	}
	s, ok := codec.ParseScope("")
	assert.False(t, ok)
	assert.Zero(t, s)
	assert.Equal(t, "scope(5)", codec.Scope(5).String())
	assert.Equal(t, "scope(9)", codec.Scope(9).String())
	assert.Equal(t, "TYPE(10)", codec.Type(10).String())
	assert.Equal(t, "TYPE(12)", codec.Type(12).String())
	assert.Equal(t, "status 42", codec.Status(42).String())
	assert.Equal(t, "NOTIFY", codec.FrameNotify.String())
}

func TestFrameLength(t *testing.T) {
	for n := range codec.LengthSize {
		length, ok := codec.FrameLength(make([]byte, n))
		assert.False(t, ok)
		assert.Zero(t, length)
	}
	for _, b := range [][]byte{{1, 2, 3, 4}, {1, 2, 3, 4, 5}} {
		n, ok := codec.FrameLength(b)
		assert.True(t, ok)
		assert.EqualValues(t, 0x01020304, n)
	}
}

// TestFrameFlags: all 32 flags go out in the order of the wire, and a short frame's error
// is about its beginning.
func TestFrameFlags(t *testing.T) {
	b := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameNotify, Flags: 0x01020304})
	assert.Equal(t, []byte{0, 0, 0, 7, 3, 1, 2, 3, 4, 0, 0}, b)
	f, err := codec.ParseFrame(b[codec.LengthSize:])
	require.NoError(t, err)
	assert.Equal(t, codec.Flags(0x01020304), f.Flags)
	_, err = codec.ParseFrame(b[codec.LengthSize : len(b)-1])
	var e *codec.Error
	require.ErrorAs(t, err, &e)
	assert.Zero(t, e.Offset)
}

// TestFrameBehindAnother: a frame's length counts its own bytes alone.
func TestFrameBehindAnother(t *testing.T) {
	f := codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: 1, FrameID: 2, Payload: []byte("abc")}
	b := codec.AppendFrame([]byte("before"), f)
	assert.Equal(t, "before\x00\x00\x00\x0a\x67\x00\x00\x00\x01\x01\x02abc", string(b))
}

// TestStatusCodes: the numbers and texts of §3.5.
func TestStatusCodes(t *testing.T) {
	for code, want := range map[codec.Status]string{
		0: "normal", 1: "I/O error", 2: "a timeout occurred", 3: "frame is too big", 4: "invalid frame received", 5: "version value not found",
		6: "max-frame-size value not found", 7: "capabilities value not found", 8: "unsupported version", 9: "max-frame-size too big or too small",
		10: "payload fragmentation is not supported", 11: "invalid interlaced frames", 12: "frame-id not found", 13: "resource allocation error", 99: "an unknown error occurred",
	} {
		assert.Equal(t, want, code.String())
	}
}

// TestMistakeSticks: a parser reads nothing after a mistake.
func TestMistakeSticks(t *testing.T) {
	raw := append([]byte("\x01x\x0f"), argsOf(kv{"message", codec.String("behind")}, kv{"engine-id", codec.String("behind")}).Raw()...)
	bye, err := codec.ParseDisconnect(raw)
	require.Error(t, err)
	assert.Zero(t, bye)
	hello, err := codec.ParseHAProxyHello(raw)
	require.Error(t, err)
	assert.Zero(t, hello)
}
