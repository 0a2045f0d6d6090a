package codec_test

import (
	"encoding/hex"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// lenient has a field of each type that can be bound, without strict and required.
type lenient struct {
	Bool     bool              `spoe:"bool"`
	Int8     int8              `spoe:"int8"`
	Int      int               `spoe:"int,default=7"`
	Uint16   uint16            `spoe:"uint16"`
	Uint     *uint             `spoe:"uint"`
	F32      float32           `spoe:"f32"`
	F64      float64           `spoe:"f64,default=0.5"`
	S        string            `spoe:"s"`
	B        []byte            `spoe:"b"`
	Addr     netip.Addr        `spoe:"addr"`
	AddrP    *netip.Addr       `spoe:"addrp,default=192.0.2.1"`
	AddrPort netip.AddrPort    `spoe:"addrport"`
	Prefix   netip.Prefix      `spoe:"prefix"`
	IP       net.IP            `spoe:"ip"`
	D        time.Duration     `spoe:"d"`
	T        time.Time         `spoe:"t"`
	H        http.Header       `spoe:"h"`
	HP       *http.Header      `spoe:"hp"`
	Block    codec.HeaderBlock `spoe:"block"`
	Q        url.Values        `spoe:"q"`
	Any      any               `spoe:"any"`
	V        codec.Value       `spoe:"v"`
	Level    level             `spoe:"level"`
	LevelP   *level            `spoe:"levelp"`
	Upper    upper             `spoe:"upper"`
	J        map[string]int    `spoe:"j,json"`
	JP       *struct{ A int }  `spoe:"jp,json"`
	List     []string          `spoe:"list"`
	Ports    []uint16          `spoe:"ports"`
	IPs      []net.IP          `spoe:"ips"`
	Nested   *struct {
		N int `spoe:"n,default=3"`
	} `spoe:"nested"`
	Problems codec.Problems
}

// TestLenient: an argument that cannot be read leaves zero or the default, or the part
// that can be read, and is in Problems.
func TestLenient(t *testing.T) {
	specimen, err := hex.DecodeString("03582d41036100620000") // X-A: a NUL b, as HAProxy 2.6 lets it through
	require.NoError(t, err)
	bin, str := func(pairs ...string) codec.Value { return codec.Binary(headersBin(pairs...)) }, codec.String
	seven := 7
	for _, test := range []struct {
		name    string
		arg     kv
		field   func(in lenient) any
		want    any
		problem bool
	}{
		{"NUL in a header's value", kv{"h", codec.Binary(specimen)}, func(in lenient) any { return in.H }, http.Header{"X-A": {"a\x00b"}}, true},
		{"line break in a header's value", kv{"h", bin("a", "b\r\nc: d", "x", "y")}, func(in lenient) any { return in.H }, http.Header{"A": {"b\r\nc: d"}, "X": {"y"}}, true},
		{"white space in a header's name", kv{"h", bin("a b", "1", "c\t", "2", ":path", "3", "d ", "4")}, func(in lenient) any { return in.H }, http.Header{"a b": {"1"}, "c\t": {"2"}, ":path": {"3"}, "d ": {"4"}}, true},
		{"no name", kv{"h", bin("", "1", "a", "2")}, func(in lenient) any { return in.H }, http.Header{"": {"1"}, "A": {"2"}}, true},
		{"headers that break off", kv{"h", codec.Binary(append(headersBin("a", "1"), 9, 'x'))}, func(in lenient) any { return in.H }, http.Header{"A": {"1"}}, true},
		{"bytes behind the end", kv{"h", bin("a", "1", "", "", "b", "2")}, func(in lenient) any { return in.H }, http.Header{"A": {"1"}}, true},
		{"a pointer", kv{"hp", bin("a", "\x00")}, func(in lenient) any { return *in.HP }, http.Header{"A": {"\x00"}}, true},
		{"a line without a colon", kv{"h", str("A: 1\r\nnothing\r\nB: 2\r\n c: 3\r\n\r\n")}, func(in lenient) any { return in.H }, http.Header{"A": {"1"}, "B": {"2"}, " c": {"3"}}, true},
		{"a tab in a header is fine", kv{"h", bin("a", "1\t2")}, func(in lenient) any { return in.H }, http.Header{"A": {"1\t2"}}, false},
		{"headers without one that can be read", kv{"h", str("nothing\r\n")}, func(in lenient) any { return in.H }, http.Header(nil), true},
		{"header of another type", kv{"h", codec.Int64(1)}, func(in lenient) any { return in.H }, http.Header(nil), true},
		{"a bad escape", kv{"q", str("a=%zz&%=1&b=%41&c")}, func(in lenient) any { return in.Q }, url.Values{"a": {"%zz"}, "%": {"1"}, "b": {"A"}, "c": {""}}, true},
		{"a semicolon", kv{"q", str("a=1;b=2&&c=3")}, func(in lenient) any { return in.Q }, url.Values{"a": {"1;b=2"}, "c": {"3"}}, true},
		{"no JSON", kv{"j", str(`{"a": 1`)}, func(in lenient) any { return in.J }, map[string]int(nil), true},
		{"JSON of another shape", kv{"j", str(`{"a": "x", "b": 2}`)}, func(in lenient) any { return in.J["b"] }, 2, true},
		{"JSON of another shape altogether", kv{"jp", str(`[]`)}, func(in lenient) any { return in.JP }, (*struct{ A int })(nil), true},
		{"no address", kv{"addr", str("localhost")}, func(in lenient) any { return in.Addr }, netip.Addr{}, true},
		{"an address with a zone", kv{"addr", str("2001:db8::bad%x")}, func(in lenient) any { return in.Addr }, netip.Addr{}, true},
		{"an IP with a zone", kv{"ip", str("2001:db8::bad%x\r\n")}, func(in lenient) any { return in.IP }, net.IP(nil), true},
		{"an address with a zone and a port", kv{"addrport", str("[2001:db8::bad%x]:80")}, func(in lenient) any { return in.AddrPort }, netip.AddrPort{}, true},
		{"an address and its port", kv{"addrport", str("[2001:db8::bad]:80")}, func(in lenient) any { return in.AddrPort }, netip.MustParseAddrPort("[2001:db8::bad]:80"), false},
		{"an address with a default", kv{"addrp", str("x")}, func(in lenient) any { return *in.AddrP }, v4, true},
		{"too large", kv{"int8", codec.Int64(200)}, func(in lenient) any { return in.Int8 }, int8(0), true},
		{"a default", kv{"int", str("x")}, func(in lenient) any { return in.Int }, seven, true},
		{"a nil pointer", kv{"uint", codec.Int64(-1)}, func(in lenient) any { return in.Uint }, (*uint)(nil), true},
		{"a hexadecimal float", kv{"f32", str("0x1p4")}, func(in lenient) any { return in.F32 }, float32(0), true},
		{"a float with underscores", kv{"f64", str("1_000")}, func(in lenient) any { return in.F64 }, 0.5, true},
		{"a hexadecimal float with underscores", kv{"f64", str("0x_1p4")}, func(in lenient) any { return in.F64 }, 0.5, true},
		{"infinity", kv{"f64", str("inf")}, func(in lenient) any { return in.F64 }, 0.5, true},
		{"NaN", kv{"f32", str("nan")}, func(in lenient) any { return in.F32 }, float32(0), true},
		{"a float in Go's other forms", kv{"f64", str("-1.5e+3")}, func(in lenient) any { return in.F64 }, -1500.0, false},
		{"a duration", kv{"d", str("soon")}, func(in lenient) any { return in.D }, time.Duration(0), true},
		{"a time that is too late", kv{"t", codec.Int64(1<<63 - 1)}, func(in lenient) any { return in.T }, time.Time{}, true},
		{"a time that is a second too late", kv{"t", codec.Int64(253402300800)}, func(in lenient) any { return in.T }, time.Time{}, true},
		{"a time that is too early", kv{"t", codec.Int64(-62135596801)}, func(in lenient) any { return in.T }, time.Time{}, true},
		{"the first time", kv{"t", codec.Int64(-62135596800)}, func(in lenient) any { return in.T }, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{"the longest duration", kv{"d", codec.Int64(math.MaxInt64 / 1_000_000)}, func(in lenient) any { return in.D }, math.MaxInt64 / 1_000_000 * time.Millisecond, false},
		{"the longest duration backwards", kv{"d", codec.Int64(math.MinInt64 / 1_000_000)}, func(in lenient) any { return in.D }, math.MinInt64 / 1_000_000 * time.Millisecond, false},
		{"a longer duration", kv{"d", codec.Int64(math.MaxInt64/1_000_000 + 1)}, func(in lenient) any { return in.D }, time.Duration(0), true},
		{"the last time", kv{"t", codec.Int64(253402300799)}, func(in lenient) any { return in.T }, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), false},
		{"a hook", kv{"upper", codec.Bool(true)}, func(in lenient) any { return in.Upper }, upper{}, true},
		{"a text unmarshaler", kv{"levelp", str("none")}, func(in lenient) any { return in.LevelP }, (*level)(nil), true},
		{"a bool from text", kv{"bool", str("true")}, func(in lenient) any { return in.Bool }, false, true},
		{"an element of a slice", kv{"ports", codec.Int64(-1)}, func(in lenient) any { return in.Ports }, []uint16(nil), true},
		{"in a nested struct", kv{"nested.n", str("x")}, func(in lenient) any { return in.Nested.N }, 3, true},
		{"a block of text", kv{"block", str("a: b\r\n")}, func(in lenient) any { return in.Block }, codec.HeaderBlock{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			in, err := decode[lenient](t, test.arg, kv{"s", str("there")})
			require.NoError(t, err)
			assert.Equal(t, test.want, test.field(in))
			assert.Equal(t, "there", in.S, "the other fields are read")
			assert.Equal(t, test.problem, in.Problems.Of(test.arg.name) != nil)
			assert.Equal(t, test.problem, in.Problems.Err() != nil)
			if test.problem {
				require.Len(t, in.Problems, 1)
				assert.ErrorContains(t, in.Problems.Err(), test.arg.name)
			}
		})
	}
}

// TestProblemsFirst: the list of problems may be the first field.
func TestProblemsFirst(t *testing.T) {
	got, err := decode[struct {
		Problems codec.Problems
		N        int `spoe:"n"`
	}](t, kv{"n", codec.String("x")})
	require.NoError(t, err)
	assert.NotNil(t, got.Problems.Of("n"))
}

// TestRequired: a required field fails for an argument that is missing, NULL or cannot be
// read at all, and not for one of which a part can be read.
func TestRequired(t *testing.T) {
	type in struct {
		H http.Header `spoe:"h,required"`
		N int         `spoe:"n,required"`
	}
	h, n := kv{"h", codec.Binary(headersBin("a", "\x00"))}, kv{"n", codec.Int64(1)}
	got, err := decode[in](t, h, n)
	require.NoError(t, err)
	assert.Equal(t, in{http.Header{"A": {"\x00"}}, 1}, got)
	for name, kvs := range map[string][]kv{
		"missing": {h}, "NULL": {h, {"n", codec.Null()}}, "unreadable": {h, {"n", codec.String("1")}}, "another type": {{"h", codec.Bool(true)}, n},
	} {
		_, err := decode[in](t, kvs...)
		var e *codec.BindError
		assert.ErrorAs(t, err, &e, name)
	}
}

// TestDecodeNoting: DecodeNoting notes each argument of a type that the field never takes,
// and no argument of the right type that cannot be read.
func TestDecodeNoting(t *testing.T) {
	type in struct {
		A netip.Addr `spoe:"a"`
		N int        `spoe:"n"`
		L []int      `spoe:"l"`
	}
	type noted struct {
		field int
		got   codec.Type
	}
	var got []noted
	var dst in
	note := func(field int, t codec.Type) { got = append(got, noted{field, t}) }
	d := decoderFor[in](t)
	args := argsOf(kv{"a", codec.String("x")}, kv{"n", codec.String("x")}, kv{"n", codec.Bool(true)}, kv{"l", codec.Bool(true)}, kv{"a", codec.Bool(true)})
	for range 2 {
		require.NoError(t, d.DecodeNoting("m", args, &dst, note))
	}
	assert.Equal(t, []noted{{1, codec.TypeString}, {2, codec.TypeBool}, {1, codec.TypeString}, {2, codec.TypeBool}}, got)
}

// TestSlices: each argument of the name becomes an element.
func TestSlices(t *testing.T) {
	type in struct {
		S  []string      `spoe:"s"`
		N  []int         `spoe:"n,required"`
		IP []net.IP      `spoe:"ip"`
		V  []codec.Value `spoe:"v"`
	}
	frame := argsOf(kv{"s", codec.String("a")}, kv{"n", codec.Int64(1)}, kv{"s", codec.Null()}, kv{"s", codec.Int64(1)},
		kv{"s", codec.Binary([]byte("b"))}, kv{"n", codec.Int64(2)}, kv{"ip", codec.Addr(v4)}, kv{"ip", codec.String("::1")}, kv{"v", codec.String("v")})
	var got in
	require.NoError(t, decoderFor[in](t).Decode("m", frame, &got))
	for i := range frame.Raw() {
		frame.Raw()[i] = 0xdb // no bytes are borrowed
	}
	assert.Equal(t, []string{"a", "b"}, got.S)
	assert.Equal(t, []int{1, 2}, got.N)
	assert.Equal(t, []net.IP{v4.AsSlice(), net.ParseIP("::1")}, got.IP)
	assert.Equal(t, "v", got.V[0].Str())
	_, err := decode[in](t)
	assert.ErrorContains(t, err, `"n" is missing`)

	type strict struct {
		S []string `spoe:"s,strict"`
	}
	_, err = decode[strict](t, kv{"s", codec.String("a")}, kv{"s", codec.Int64(1)})
	assert.EqualError(t, err, `message "m": argument "s" is INT64; field codec_test.strict.S ([]string) wants STRING or BINARY`)
}

// FuzzLenient: a struct without strict and required is bound from arguments of any bytes
// and types, and shares no memory with the frame.
func FuzzLenient(f *testing.F) {
	d := decoderFor[lenient](f)
	names := make([]string, 0, 40)
	for _, field := range d.Fields() {
		names = append(names, field.Name)
	}
	for i := range names {
		f.Add(byte(i), byte(8), []byte("text"), byte(i+1), byte(9), []byte{1, 'a', 1, 0, 0, 0})
		f.Add(byte(i), byte(4), []byte{0xff, 0xff, 3}, byte(i), byte(3), []byte("%zz&;=1"))
		f.Add(byte(i), byte(9), []byte("[fe80::1%x]:80"), byte(i), byte(8), []byte(`{"a":"x","A":[]}`))
	}
	f.Fuzz(func(t *testing.T, field1, type1 byte, raw1 []byte, field2, type2 byte, raw2 []byte) {
		args := argsOf(kv{names[int(field1)%len(names)], fuzzValue(type1, raw1)}, kv{names[int(field2)%len(names)], fuzzValue(type2, raw2)})
		var in, again lenient
		require.NoError(t, d.Decode("m", args, &in))
		_ = in.Problems.Err()
		for _, p := range in.Problems {
			_ = p.Value()
		}
		raw := append([]byte(nil), args.Raw()...)
		for i := range args.Raw() {
			args.Raw()[i] = 0xdb
		}
		require.NoError(t, d.Decode("m", codec.NewArgs(raw, args.Len()), &again))
		in.Problems, again.Problems = nil, nil
		in.V, again.V = codec.Value{}, codec.Value{} // by address
		if in.F32 == in.F32 && in.F64 == in.F64 {
			require.Equal(t, again, in)
		}
	})
}

// fuzzValue makes a value of a type out of bytes.
func fuzzValue(typ byte, raw []byte) codec.Value {
	n := int64(0)
	for _, b := range raw {
		n = n<<8 | int64(b)
	}
	switch typ % 10 {
	case 0:
		return codec.Null()
	case 1:
		return codec.Bool(n&1 != 0)
	case 2:
		return codec.Int32(int32(n))
	case 3:
		return codec.Uint32(uint32(n))
	case 4:
		return codec.Int64(n)
	case 5:
		return codec.Uint64(uint64(n))
	case 6:
		return codec.Addr(netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}))
	case 7:
		return codec.Addr(netip.AddrFrom16([16]byte{byte(n), byte(n >> 8), 15: byte(n >> 16)}))
	case 8:
		return codec.String(string(raw))
	}
	return codec.Binary(raw)
}
