package codec_test

import (
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
)

// keeps has a field of each type that could borrow from the frame.
type keeps struct {
	S    string          `spoe:"s"`
	SP   *string         `spoe:"sp"`
	B    []byte          `spoe:"b"`
	BP   *[]byte         `spoe:"bp"`
	IP4  net.IP          `spoe:"ip4"`
	IP6  net.IP          `spoe:"ip6"`
	IPS  net.IP          `spoe:"ips"`
	A    netip.Addr      `spoe:"a"`
	Zone netip.Addr      `spoe:"zone"`
	V    codec.Value     `spoe:"v"`
	VP   *codec.Value    `spoe:"vp"`
	Any  any             `spoe:"any"`
	AnyB any             `spoe:"anyb"`
	AnyI any             `spoe:"anyi"`
	H    http.Header     `spoe:"h"`
	HB   http.Header     `spoe:"hb"`
	Q    url.Values      `spoe:"q"`
	J    json.RawMessage `spoe:"j,json"`
	JM   map[string]any  `spoe:"jm,json"`
	P    netip.Prefix    `spoe:"p"`
	U    upper           `spoe:"u"`
	Sub  *tlsInfo        `spoe:"sub"`
	D    []byte          `spoe:"d,default=def"`
}

func keepsArgs() []kv {
	return []kv{
		{"s", codec.String("string")}, {"sp", codec.String("string pointer")}, {"b", codec.Binary([]byte("bytes"))}, {"bp", codec.String("bytes pointer")},
		{"ip4", codec.Addr(v4)}, {"ip6", codec.Addr(v6)}, {"ips", codec.String("192.0.2.9")}, {"a", codec.Addr(v6)}, {"zone", codec.String("fe80::1%eth0")},
		{"v", codec.String("value")}, {"vp", codec.Binary([]byte("value pointer"))}, {"any", codec.String("any")}, {"anyb", codec.Binary([]byte("any bytes"))},
		{"anyi", codec.Addr(v4)}, {"h", codec.String("a: header\r\n")}, {"hb", codec.Binary(headersBin("b", "header"))}, {"q", codec.String("query=value")},
		{"j", codec.String(`{"raw":"json"}`)}, {"jm", codec.String(`{"json":"map"}`)}, {"p", codec.String("192.0.2.0/24")}, {"u", codec.String("upper")},
		{"sub.sni", codec.String("sni")}, {"sub.alpn", codec.String("alpn")},
	}
}

// TestPoison overwrites the decoded buffer: a bound struct must not change, and must not
// change the next one.
func TestPoison(t *testing.T) {
	args := argsOf(keepsArgs()...)
	d := decoderFor[keeps](t)
	var got, want keeps
	require.NoError(t, d.Decode("m", argsOf(keepsArgs()...), &want))
	require.NoError(t, d.Decode("m", args, &got))
	for i := range args.Raw() {
		args.Raw()[i] = 0xaa
	}
	assert.Equal(t, "string", got.S)
	assert.Equal(t, "string pointer", *got.SP)
	assert.Equal(t, "bytes", string(got.B))
	assert.Equal(t, "bytes pointer", string(*got.BP))
	assert.Equal(t, "192.0.2.1", got.IP4.String())
	assert.Equal(t, "2001:db8::1", got.IP6.String())
	assert.Equal(t, "192.0.2.9", got.IPS.String())
	assert.Equal(t, "value", got.V.Str())
	assert.Equal(t, "value pointer", got.VP.Str())
	assert.True(t, want.V.Equal(got.V) && want.VP.Equal(*got.VP))
	want.V, want.VP, got.V, got.VP = codec.Value{}, nil, codec.Value{}, nil // their pointers differ
	assert.Equal(t, want, got)

	// And the other way: writing to what was bound leaves its neighbours alone.
	var third keeps
	require.NoError(t, d.Decode("m", argsOf(keepsArgs()...), &third))
	for _, b := range [][]byte{third.B, *third.BP, third.IP4, third.IP6, third.IPS, third.D} {
		assert.Equal(t, len(b), cap(b), "capped")
		_ = append(b, "xxxxxxxx"...)
	}
	for _, b := range [][]byte{third.B, *third.BP, third.IP4, third.IP6, third.IPS, third.D, third.AnyB.([]byte), third.J} {
		for i := range b {
			b[i] = 'x'
		}
	}
	third.B, *third.BP, third.IP4, third.IP6, third.IPS, third.D, third.AnyB, third.J = got.B, *got.BP, got.IP4, got.IP6, got.IPS, got.D, got.AnyB, got.J
	third.V, third.VP = codec.Value{}, nil
	assert.Equal(t, got, third)
}

// TestEmptyKeepsNoFrame: an empty value that is kept leaves the frame's bytes to the garbage
// collector.
func TestEmptyKeepsNoFrame(t *testing.T) {
	type in struct {
		S string      `spoe:"s"`
		B []byte      `spoe:"b"`
		V codec.Value `spoe:"v"`
		A any         `spoe:"a"`
	}
	d := decoderFor[in](t)
	var kept in
	var frame weak.Pointer[byte]
	func() {
		args := argsOf(kv{"s", codec.String("")}, kv{"b", codec.Binary([]byte{})}, kv{"v", codec.String("")}, kv{"a", codec.String("")}, kv{"pad", codec.String("0123456789abcdef")})
		frame = weak.Make(&args.Raw()[0])
		require.NoError(t, d.Decode("m", args, &kept))
		runtime.KeepAlive(args)
	}()
	runtime.GC()
	assert.Nil(t, frame.Value())
	assert.Equal(t, codec.TypeString, kept.V.Type())
	runtime.KeepAlive(&kept)
}

func TestClonePoison(t *testing.T) {
	raw := codec.AppendArg(nil, "v", codec.String("kept"))
	_, v, _ := codec.NewArgs(raw, 1).At(0)
	kept, s := v.Clone(), v.Str()
	clear(raw)
	assert.Equal(t, "kept", kept.Str())
	assert.Equal(t, "kept", s)
	assert.NotEqual(t, "kept", v.Str(), "v borrows")
}

// TestBorrowedIsCapped: an append to borrowed bytes must not write into the
// frame.
func TestBorrowedIsCapped(t *testing.T) {
	raw := codec.AppendMessage(nil, "name", 1)
	raw = codec.AppendArg(raw, "v", codec.String("abc"))
	raw = codec.AppendMessage(raw, "next", 0)
	want := string(raw)
	msgs := codec.NewMessages(raw)
	require.True(t, msgs.Next())
	m := msgs.Message()
	_ = append(m.Name, "xxxx"...)
	_ = append(m.Args.Raw(), "xxxx"...)
	for name, v := range m.Args.Scan() {
		_ = append(name, "xxxx"...)
		_ = append(v.Bytes(), "xxxx"...)
	}
	assert.Equal(t, want, string(raw))
}
