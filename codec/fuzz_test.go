package codec_test

import (
	"bytes"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// The fuzz targets start from frames of real HAProxys and from these.

func seedFrames(f *testing.F) [][]byte {
	f.Helper()
	hello := codec.HAProxyHello{SupportedVersions: "2.0", MaxFrameSize: 16380, Capabilities: "pipelining,async", EngineID: "b2f3"}
	check := codec.HAProxyHello{SupportedVersions: "2.0", MaxFrameSize: 16380, Healthcheck: true}
	agent := codec.AgentHello{Version: "2.0", MaxFrameSize: 16380, Capabilities: "pipelining"}
	bye := codec.Disconnect{Status: codec.StatusTimeout, Message: "a timeout occurred"}
	var notify, values, ack []byte
	for i, kvs := range [][]kv{{{"ip", codec.Addr(v4)}}, keepsArgs(), {}} {
		notify = codec.AppendMessage(notify, "message"+string(rune('a'+i)), len(kvs))
		notify = append(notify, argsOf(kvs...).Raw()...)
	}
	edges := edges()
	values = codec.AppendMessage(nil, "edges", len(edges))
	for _, e := range edges {
		values = codec.AppendArg(values, "", codec.Uint64(e))
	}
	ack = codec.AppendSetVar(ack, codec.ScopeSession, "ip_score", codec.Int64(-1))
	ack = codec.AppendUnsetVar(ack, codec.ScopeTransaction, "ip_list")
	frames := [][]byte{}
	for _, fr := range []codec.Frame{
		{Type: codec.FrameHAProxyHello, Payload: hello.Append(nil)},
		{Type: codec.FrameHAProxyHello, Payload: check.Append(nil)},
		{Type: codec.FrameAgentHello, Payload: agent.Append(nil)},
		{Type: codec.FrameHAProxyDisconnect, Payload: bye.Append(nil)},
		{Type: codec.FrameNotify, StreamID: 1<<64 - 1, FrameID: 240, Payload: notify},
		{Type: codec.FrameNotify, StreamID: 0, FrameID: 1, Payload: values},
		{Type: codec.FrameAck, StreamID: 1, FrameID: 1, Payload: ack},
	} {
		fr.Flags = codec.FlagFIN
		frames = append(frames, codec.AppendFrame(nil, fr))
	}
	seen := map[string]bool{} // versions of HAProxy send much the same
	for _, file := range goldenFiles(f) {
		for _, frame := range file.Frames {
			if raw := string(frame.Raw); !seen[raw] {
				seen[raw] = true
				frames = append(frames, frame.Raw)
			}
		}
	}
	return frames
}

// seedPayloads adds the payloads of the seed frames.
func seedPayloads(f *testing.F) {
	f.Helper()
	for _, raw := range seedFrames(f) {
		fr, err := codec.ParseFrame(raw[codec.LengthSize:])
		require.NoError(f, err)
		f.Add(fr.Payload)
	}
}

func FuzzFrame(f *testing.F) {
	for _, raw := range seedFrames(f) {
		f.Add(raw)
		f.Add(raw[codec.LengthSize:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		codec.FrameLength(b)
		fr, err := codec.ParseFrame(b)
		if err != nil {
			require.Zero(t, fr)
			return
		}
		raw := codec.AppendFrame(nil, fr)
		require.Equal(t, b, raw[codec.LengthSize:], "there is one encoding of a frame")
		n, _ := codec.FrameLength(raw)
		require.Equal(t, len(b), int(n))
	})
}

func FuzzHello(f *testing.F) {
	seedPayloads(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := codec.ParseHAProxyHello(b); err == nil {
			again, err := codec.ParseHAProxyHello(h.Append(nil))
			require.NoError(t, err)
			require.Equal(t, h, again)
			require.GreaterOrEqual(t, h.MaxFrameSize, uint32(codec.MinMaxFrameSize))
		}
		if h, err := codec.ParseAgentHello(b); err == nil {
			again, err := codec.ParseAgentHello(h.Append(nil))
			require.NoError(t, err)
			require.Equal(t, h, again)
		}
		if d, err := codec.ParseDisconnect(b); err == nil {
			again, err := codec.ParseDisconnect(d.Append(nil))
			require.NoError(t, err)
			require.Equal(t, d, again)
		}
	})
}

func FuzzMessages(f *testing.F) {
	seedPayloads(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		out, err := reencode(b)
		n, cerr := codec.CheckMessages(b)
		require.Equal(t, err, cerr)
		if err == nil {
			// The unused bits of a type are lost, once.
			again, err := reencode(out)
			require.NoError(t, err)
			require.Equal(t, out, again)
			m, err := codec.CheckMessages(out)
			require.NoError(t, err)
			require.Equal(t, n, m)
			require.Len(t, out, len(b))
		}
		if acts, err := codec.ParseActions(b); err == nil {
			var raw []byte
			for _, a := range acts {
				if a.Unset {
					raw = codec.AppendUnsetVar(raw, a.Scope, a.Name)
				} else {
					raw = codec.AppendSetVar(raw, a.Scope, a.Name, a.Value)
				}
			}
			again, err := codec.ParseActions(raw)
			require.NoError(t, err)
			require.Len(t, again, len(acts))
			for i := range acts {
				require.Equal(t, acts[i].Name, again[i].Name)
				require.True(t, acts[i].Value.Equal(again[i].Value))
			}
		}
		require.Equal(t, before, b, "decoding writes nothing")
	})
}

// fuzzed has a field for each way of binding; out is the same as variables.
type fuzzed struct {
	keeps
	I8   int8           `spoe:"i8"`
	U16  uint16         `spoe:"u16"`
	F32  float32        `spoe:"f32"`
	On   bool           `spoe:"on"`
	Lvl  *level         `spoe:"lvl"`
	Pos  *codec.Value   `spoe:",pos=0"`
	Def  int            `spoe:"def,default=-1"`
	Addr netip.AddrPort `spoe:"addrport"`
}

func FuzzBind(f *testing.F) {
	f.Add(argsOf(keepsArgs()...).Raw(), uint8(len(keepsArgs())))
	more := argsOf(kv{"", codec.String("pos")}, kv{"i8", codec.Int64(-128)}, kv{"u16", codec.Uint64(65535)}, kv{"f32", codec.String("1e3")},
		kv{"on", codec.Bool(true)}, kv{"lvl", codec.String("high")}, kv{"def", codec.Null()}, kv{"addrport", codec.String("[::1]:80")})
	f.Add(more.Raw(), uint8(more.Len()))
	for _, raw := range seedFrames(f) {
		if fr, err := codec.ParseFrame(raw[codec.LengthSize:]); err == nil && fr.Type == codec.FrameNotify {
			for msgs := codec.NewMessages(fr.Payload); msgs.Next(); {
				m := msgs.Message()
				f.Add(m.Args.Raw(), uint8(m.Args.Len()))
			}
		}
	}
	d, r, e := decoderFor[fuzzed](f), decoderFor[request](f), encoderFor[request](f)
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		var in, want fuzzed
		args := codec.NewArgs(bytes.Clone(b), int(n))
		err := d.Decode("m", codec.NewArgs(b, int(n)), &want)
		require.Equal(t, err, d.Decode("m", args, &in), "twice the same")
		for i := range args.Raw() {
			args.Raw()[i] ^= 0xff
		}
		sameBound(t, &want, &in)
		if err != nil {
			require.NotEmpty(t, err.Error())
		}

		var q, again request
		if r.Decode("m", codec.NewArgs(b, int(n)), &q) != nil {
			require.Zero(t, q)
			return
		}
		raw, err := e.Append(nil, &q)
		require.NoError(t, err)
		acts, err := codec.ParseActions(raw)
		require.NoError(t, err)
		var kvs []kv
		for _, a := range acts {
			kvs = append(kvs, kv{a.Name, a.Value})
		}
		require.NoError(t, r.Decode("m", argsOf(kvs...), &again))
		require.Equal(t, q, again)
	})
}

// sameBound compares what was bound from one buffer with what was bound from
// another that was overwritten since. Values are compared by Equal: the
// pointers in them differ.
func sameBound(t *testing.T, want, got *fuzzed) {
	t.Helper()
	for _, f := range []func(*fuzzed) *codec.Value{
		func(f *fuzzed) *codec.Value { return &f.V },
		func(f *fuzzed) *codec.Value { return f.VP },
		func(f *fuzzed) *codec.Value { return f.Pos },
	} {
		w, g := f(want), f(got)
		require.Equal(t, w == nil, g == nil)
		if w != nil {
			require.True(t, w.Equal(*g))
		}
	}
	w, g := *want, *got
	w.V, w.VP, w.Pos, g.V, g.VP, g.Pos = codec.Value{}, nil, nil, codec.Value{}, nil, nil
	require.Equal(t, w, g)
}

func FuzzHeaders(f *testing.F) {
	f.Add(hdrsBin)
	f.Add([]byte(hdrsText))
	f.Add(headersBin("a", "", "", ""))
	f.Add([]byte("a:b\n"))
	for _, raw := range seedFrames(f) {
		if fr, err := codec.ParseFrame(raw[codec.LengthSize:]); err == nil && fr.Type == codec.FrameNotify {
			for msgs := codec.NewMessages(fr.Payload); msgs.Next(); {
				for _, v := range msgs.Message().Args.All() {
					if b := v.Bytes(); b != nil {
						f.Add(b)
					}
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		for _, decode := range []func([]byte) (http.Header, error){codec.DecodeHeadersBin, codec.DecodeHeadersText} {
			h, err := decode(b)
			if err != nil {
				require.Nil(t, h)
				continue
			}
			again, err := codec.DecodeHeadersBin(codec.AppendHeadersBin(nil, h))
			require.NoError(t, err)
			assert.Equal(t, h, again)
		}
		require.Equal(t, before, b)
	})
}
