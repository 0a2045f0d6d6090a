package codec_test

import (
	"math"
	"net/http"
	"net/netip"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func allocs(t *testing.T, want float64, f func()) {
	t.Helper()
	assert.Equal(t, want, testing.AllocsPerRun(200, f))
}

func TestAllocations(t *testing.T) {
	t.Run("parse a NOTIFY", func(t *testing.T) {
		frame := notifyFrame()
		allocs(t, 0, func() { parseNotify(frame) })
	})
	t.Run("bind without strings", func(t *testing.T) {
		type in struct {
			IP  netip.Addr  `spoe:"ip,required"`
			N   int16       `spoe:"n"`
			U   uint64      `spoe:"u,default=7"`
			On  bool        `spoe:"on"`
			F   float64     `spoe:"f"`
			V   codec.Value `spoe:"v"`
			TLS struct {
				Port uint16 `spoe:"port"`
			} `spoe:"tls"`
		}
		args := argsOf(kv{"ip", codec.Addr(v6)}, kv{"n", codec.Int64(-1)}, kv{"on", codec.Bool(true)}, kv{"f", codec.String("1.5")}, kv{"v", codec.Int64(7)},
			kv{"tls.port", codec.Int64(1)}, kv{"unknown", codec.String("x")})
		d, dst := decoderFor[in](t), new(in)
		allocs(t, 0, func() { require.NoError(t, d.Decode("m", args, dst)) })
	})
	t.Run("bind nine, five strings", func(t *testing.T) {
		args, d, dst := requestArgs(), decoderFor[request](t), new(request)
		allocs(t, 1, func() { require.NoError(t, d.Decode("m", args, dst)) })
	})
	t.Run("bind all that is bytes", func(t *testing.T) {
		type in struct {
			S  string      `spoe:"s"`
			B  []byte      `spoe:"b"`
			V  codec.Value `spoe:"v"`
			IP []byte      `spoe:"ip"`
			D  string      `spoe:"d,default=x"`
		}
		args := argsOf(kv{"s", codec.String("a")}, kv{"b", codec.String("b")}, kv{"v", codec.String("c")}, kv{"ip", codec.String("d")})
		d, dst := decoderFor[in](t), new(in)
		allocs(t, 1, func() { require.NoError(t, d.Decode("m", args, dst)) })
	})
	t.Run("encode two", func(t *testing.T) {
		e, out, buf := encoderFor[verdict](t), &verdict{42, "spamhaus"}, make([]byte, 0, 256)
		allocs(t, 0, func() { buf, _ = e.Append(buf[:0], out) })
	})
	t.Run("encode all kinds", func(t *testing.T) {
		type out struct {
			N int32        `spoe:"n"`
			U *uint        `spoe:"u,unset"`
			B bool         `spoe:"b"`
			A netip.Addr   `spoe:"a"`
			S string       `spoe:"s"`
			F float64      `spoe:"f"`
			P netip.Prefix `spoe:"p"`
			X []byte       `spoe:"x,omitempty"`
		}
		e, src, buf := encoderFor[out](t), &out{A: v6, S: "s", F: 0.25, P: netip.MustParsePrefix("::/0")}, make([]byte, 0, 256)
		allocs(t, 0, func() { buf, _ = e.Append(buf[:0], src) })
	})
	t.Run("look up", func(t *testing.T) {
		args := requestArgs()
		allocs(t, 0, func() { args.Lookup("ssl"); args.Err() })
	})
}

// TestHostileSizes: the codec does not allocate by a length or a count that is only
// claimed. An error costs its own few allocations.
func TestHostileSizes(t *testing.T) {
	huge := func(n uint64) []byte { return codec.AppendVarint(nil, n) }
	bad := map[string]func() error{}
	for name, n := range map[string]uint64{"64 MiB": 64 << 20, "2 GiB": 1 << 31, "2^63": 1 << 63, "2^64-1": math.MaxUint64} {
		bad["string of "+name] = func() error { return codec.NewArgs(append([]byte{0, 8}, huge(n)...), 255).Err() }
		bad["name of "+name] = func() error { return codec.NewArgs(huge(n), 255).Err() }
		bad["message of "+name] = func() error { _, err := codec.CheckMessages(huge(n)); return err }
		bad["bound string of "+name] = func() error {
			var in request
			return codec.Unmarshal(codec.NewArgs(append([]byte{6, 'm', 'e', 't', 'h', 'o', 'd', 8}, huge(n)...), 255), &in)
		}
		bad["header of "+name] = func() error { _, err := codec.DecodeHeadersBin(huge(n)); return err }
		bad["hello of "+name] = func() error { _, err := codec.ParseHAProxyHello(huge(n)); return err }
		bad["disconnect of "+name] = func() error { _, err := codec.ParseDisconnect(huge(n)); return err }
		bad["variable of "+name] = func() error {
			_, err := codec.ParseActions(append([]byte{1, 3, 0}, huge(n)...))
			return err
		}
	}
	bad["255 arguments"] = func() error { return codec.NewArgs(nil, 255).Err() }
	bad["2^30 arguments"] = func() error { return codec.NewArgs(nil, 1<<30).Err() }
	for name, f := range bad {
		require.Error(t, f(), name)
		if n := allocated(func() { _ = f() }); n > 4096 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// TestHostileHeaders: headers, the one thing that grows as it is decoded, stay
// within a multiple of the bytes that came.
func TestHostileHeaders(t *testing.T) {
	const pairs = 1 << 16
	for name, raw := range map[string][]byte{
		"one name": manyHeaders(pairs, func(int) string { return "a" }),
		"many names": manyHeaders(pairs, func(i int) string {
			return string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))
		}),
	} {
		var h http.Header
		n := allocated(func() { h, _ = codec.DecodeHeadersBin(raw) })
		assert.NotEmpty(t, h)
		assert.Less(t, n, uint64(64*len(raw)), name)
	}
}

func manyHeaders(n int, name func(i int) string) (b []byte) {
	for i := range n {
		b = append(b, headersBin(name(i), "")...)
	}
	return b
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
