package router_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// everything has a field of each kind that could borrow from the frame.
type everything struct {
	S     string            `spoe:"s"`
	B     []byte            `spoe:"b"`
	IP    net.IP            `spoe:"ip"`
	Addr  netip.Addr        `spoe:"addr"`
	V     codec.Value       `spoe:"v"`
	Any   any               `spoe:"any"`
	JSON  json.RawMessage   `spoe:"json,json"`
	H     http.Header       `spoe:"h"`
	Q     url.Values        `spoe:"q"`
	P     *string           `spoe:"p"`
	M     map[string]string `spoe:"m,json"`
	Inner struct {
		S string `spoe:"s"`
	} `spoe:"inner"`
	First string `spoe:",pos=12"`
}

// TestBoundIsKept: a handler may keep all that it was given. The frame's
// buffer is overwritten as soon as the handler returns.
func TestBoundIsKept(t *testing.T) {
	values := []struct {
		name string
		v    codec.Value
	}{
		{"s", codec.String("string")}, {"b", codec.Binary([]byte("bytes"))},
		{"ip", codec.Addr(netip.MustParseAddr("2001:db8::1"))}, {"addr", codec.Addr(netip.MustParseAddr("192.0.2.1"))},
		{"v", codec.String("value")}, {"any", codec.Binary([]byte("any"))}, {"json", codec.String(`{"a":1}`)},
		{"h", codec.Binary(codec.AppendHeadersBin(nil, http.Header{"Host": {"example.org"}}))},
		{"q", codec.String("a=b&c=d")}, {"p", codec.String("pointer")}, {"m", codec.String(`{"k":"v"}`)},
		{"inner.s", codec.String("inner")}, {"", codec.String("first")},
	}
	var raw []byte
	for _, v := range values {
		raw = codec.AppendArg(raw, v.name, v.v)
	}
	p := "pointer"
	want := everything{
		S: "string", B: []byte("bytes"), IP: net.ParseIP("2001:db8::1"), Addr: netip.MustParseAddr("192.0.2.1"),
		Any: []byte("any"), JSON: json.RawMessage(`{"a":1}`), H: http.Header{"Host": {"example.org"}},
		Q: url.Values{"a": {"b"}, "c": {"d"}}, P: &p, M: map[string]string{"k": "v"}, First: "first",
	}
	want.Inner.S = "inner"

	var kept everything
	keep := func(_ context.Context, in everything) error { kept = in; return nil }
	keepPointer := func(_ context.Context, in *everything) error { kept = *in; return nil }
	for name, register := range map[string]func(r *router.Router){
		"Observe":          func(r *router.Router) { r.Observe("m", keep) },
		"Observe, pointer": func(r *router.Router) { r.Observe("m", keepPointer) },
		"HandleActions": func(r *router.Router) {
			r.HandleActions("m", func(ctx context.Context, in everything, _ *spoe.Actions) error { return keep(ctx, in) })
		},
		"Handle": func(r *router.Router) {
			r.Handle("m", func(ctx context.Context, in everything) (struct{}, error) { return struct{}{}, keep(ctx, in) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := router.New()
			register(r)
			frame := append([]byte(nil), raw...)
			kept = everything{}
			for range 3 { // places are used again
				before := kept
				copy(frame, raw)
				msg := rawMessage("m", codec.NewArgs(frame, len(values)))
				require.NoError(t, r.ServeSPOE(t.Context(), msg, new(spoe.Actions)))
				for i := range frame {
					frame[i] = 0xdb
				}
				for _, k := range []everything{kept, before} {
					if k.S == "" {
						continue // before the first
					}
					assert.Equal(t, "value", k.V.Str())
					k.V = codec.Value{}
					assert.Equal(t, want, k)
				}
			}
		})
	}
}

// TestNothingLingers: a field that an earlier message filled is empty if the next one
// has no argument for it.
func TestNothingLingers(t *testing.T) {
	var got []string
	r := router.New()
	see := func(_ context.Context, in struct {
		A string  `spoe:"a"`
		B *string `spoe:"b"`
	}) error {
		if in.B != nil {
			in.A += *in.B
		}
		got = append(got, in.A)
		return nil
	}
	r.Observe("m", see)
	serve := func(args ...string) {
		var raw []byte
		for _, a := range args {
			raw = codec.AppendArg(raw, a, codec.String(a))
		}
		msg := rawMessage("m", codec.NewArgs(raw, len(args)))
		require.NoError(t, r.ServeSPOE(t.Context(), msg, new(spoe.Actions)))
	}
	serve("a", "b")
	serve()
	serve("b")
	assert.Equal(t, []string{"ab", "", "b"}, got)
}

// TestPoolKeepsNothing: the pooled places of arguments and results keep no bytes alive.
func TestPoolKeepsNothing(t *testing.T) {
	type bytes struct {
		B []byte `spoe:"b"`
	}
	var in, out weak.Pointer[byte]
	r := router.New()
	r.Handle("m", func(_ context.Context, got bytes) (bytes, error) {
		answer := bytes{make([]byte, 1<<10)}
		in, out = weak.Make(&got.B[0]), weak.Make(&answer.B[0])
		return answer, nil
	})
	raw := codec.AppendArg(nil, "b", codec.Binary(make([]byte, 1<<10)))
	require.NoError(t, r.ServeSPOE(t.Context(), rawMessage("m", codec.NewArgs(raw, 1)), new(spoe.Actions)))
	runtime.GC() // a second one would empty the pools
	assert.Nil(t, in.Value(), "arguments")
	assert.Nil(t, out.Value(), "results")
	runtime.KeepAlive(r)
}
