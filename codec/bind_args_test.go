package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// kv is one argument, for tables.
type kv struct {
	name string
	v    codec.Value
}

func argsOf(kvs ...kv) codec.Args {
	var b []byte
	for _, a := range kvs {
		b = codec.AppendArg(b, a.name, a.v)
	}
	return codec.NewArgs(b, len(kvs))
}

// upper takes a string its own way.
type upper struct{ s string }

func (u *upper) UnmarshalSPOE(v codec.Value) error {
	if v.Type() != codec.TypeString {
		return errors.New("upper wants a STRING")
	}
	u.s = strings.ToUpper(v.Str())
	return nil
}

type level int

func (l *level) UnmarshalText(b []byte) error {
	switch string(b) {
	case "low", "1":
		*l = 1
	case "high", "2":
		*l = 2
	default:
		return errors.New("no level")
	}
	return nil
}

type (
	myString string
	myBytes  []byte
	myInt    int16
	myBool   bool
)

var (
	v4       = netip.MustParseAddr("192.0.2.1")
	v6       = netip.MustParseAddr("2001:db8::1")
	mapped   = netip.MustParseAddr("::ffff:192.0.2.1")
	hdrsBin  = codec.AppendHeadersBin(nil, http.Header{"Accept": {"a", "b"}, "Host": {"x"}})
	hdrsText = "host: x\r\naccept: a\r\naccept: b\r\n\r\n"
)

// TestDecodeTypes has each Go type against each SPOP type.
func TestDecodeTypes(t *testing.T) {
	n, s, bin := codec.Int64(1), codec.String("abc"), codec.Binary([]byte("abc"))
	all := []codec.Value{
		codec.Bool(true), codec.Int32(1), codec.Uint32(1), n, codec.Uint64(1),
		codec.Addr(v4), codec.Addr(v6), s, bin,
	}
	const x = "error"
	ints := func(v any) []any { return []any{x, v, v, v, v, x, x, x, x} }
	texts := func(v any) []any { return []any{x, x, x, x, x, x, x, v, v} }
	tests := []struct {
		name string
		want []any // for each of all
	}{
		{"bool", []any{true, x, x, x, x, x, x, x, x}},
		{"myBool", []any{myBool(true), x, x, x, x, x, x, x, x}},
		{"int", ints(1)}, {"int8", ints(int8(1))}, {"int16", ints(int16(1))}, {"int32", ints(int32(1))}, {"int64", ints(int64(1))},
		{"uint", ints(uint(1))}, {"uint8", ints(uint8(1))}, {"uint16", ints(uint16(1))}, {"uint32", ints(uint32(1))}, {"uint64", ints(uint64(1))},
		{"myInt", ints(myInt(1))},
		{"float32", ints(float32(1))}, {"float64", ints(float64(1))},
		{"string", texts("abc")}, {"myString", texts(myString("abc"))},
		{"[]byte", texts([]byte("abc"))}, {"myBytes", texts(myBytes("abc"))}, {"json.RawMessage", texts(json.RawMessage("abc"))},
		{"netip.Addr", []any{x, x, x, x, x, v4, v6, x, x}},
		{"net.IP", []any{x, x, x, x, x, net.IP(v4.AsSlice()), net.IP(v6.AsSlice()), x, x}},
		{"time.Duration", ints(time.Millisecond)},
		{"time.Time", ints(time.Unix(1, 0).UTC())},
		{"url.Values", texts(url.Values{"abc": {""}})},
		{"level", []any{x, level(1), level(1), level(1), level(1), x, x, x, x}},
		{"upper", []any{x, x, x, x, x, x, x, upper{"ABC"}, x}},
		{"any", []any{true, 1, uint(1), 1, uint(1), net.IP(v4.AsSlice()), net.IP(v6.AsSlice()), "abc", []byte("abc")}},
		{"codec.Value", []any{all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8]}},
	}
	types := map[string]reflect.Type{
		"json.RawMessage": reflect.TypeFor[json.RawMessage](), "any": reflect.TypeFor[any](), "codec.Value": reflect.TypeFor[codec.Value](),
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			typ := types[test.name]
			for _, w := range test.want {
				if typ == nil && w != x {
					typ = reflect.TypeOf(w)
				}
			}
			for _, pointer := range []bool{false, true} {
				field := typ
				if pointer {
					field = reflect.PointerTo(typ)
				}
				st := reflect.StructOf([]reflect.StructField{{Name: "F", Type: field, Tag: `spoe:"f,strict"`}})
				d, err := codec.DecoderOf(st)
				require.NoError(t, err)
				lenient := reflect.StructOf([]reflect.StructField{{Name: "F", Type: field, Tag: `spoe:"f"`}, {Name: "P", Type: reflect.TypeFor[codec.Problems]()}})
				ld, err := codec.DecoderOf(lenient)
				require.NoError(t, err)
				for i, v := range all {
					dst := reflect.New(st)
					err := d.Decode("m", argsOf(kv{"f", v}), dst.Interface())
					if test.want[i] == x {
						var e *codec.BindError
						require.ErrorAs(t, err, &e, "%s into %s", v.Type(), field)
						assert.Equal(t, v.Type(), e.Got)
						assert.True(t, dst.Elem().IsZero(), "dst is zero after an error")
						dst = reflect.New(lenient)
						require.NoError(t, ld.Decode("m", argsOf(kv{"f", v}), dst.Interface()))
						assert.True(t, dst.Elem().Field(0).IsZero(), "%s into %s", v.Type(), field)
						problems := dst.Elem().Field(1).Interface().(codec.Problems)
						require.Len(t, problems, 1)
						assert.Equal(t, e.Got, problems[0].Got)
						continue
					}
					require.NoError(t, err, "%s into %s", v.Type(), field)
					got := dst.Elem().Field(0)
					if pointer {
						got = got.Elem()
					}
					if want, ok := test.want[i].(codec.Value); ok {
						assert.True(t, want.Equal(got.Interface().(codec.Value)), "%s into %s", v.Type(), field)
						continue
					}
					assert.Equal(t, test.want[i], got.Interface(), "%s into %s", v.Type(), field)
				}
				// NULL and nothing at all.
				for _, args := range []codec.Args{argsOf(), argsOf(kv{"f", codec.Null()}), argsOf(kv{"other", n})} {
					dst := reflect.New(st)
					dst.Elem().Field(0).Set(reflect.New(field).Elem())
					require.NoError(t, d.Decode("m", args, dst.Interface()))
					assert.True(t, dst.Elem().IsZero())
				}
			}
		})
	}
}

// TestDecodeNeighbours: setting an integer leaves the fields beside it as they are, whatever
// the order of the arguments.
func TestDecodeNeighbours(t *testing.T) {
	type in struct {
		A8  int8   `spoe:"a"`
		B8  int8   `spoe:"b"`
		C16 uint16 `spoe:"c"`
		D16 uint16 `spoe:"d"`
		E32 int32  `spoe:"e"`
		F32 int32  `spoe:"f"`
		G64 uint64 `spoe:"g"`
	}
	args := []kv{{"a", codec.Int64(-1)}, {"b", codec.Int64(2)}, {"c", codec.Int64(3)}, {"d", codec.Int64(4)}, {"e", codec.Int64(-5)}, {"f", codec.Int64(6)}, {"g", codec.Int64(7)}}
	d := decoderFor[in](t)
	for range 2 {
		var got in
		require.NoError(t, d.Decode("m", argsOf(args...), &got))
		assert.Equal(t, in{-1, 2, 3, 4, -5, 6, 7}, got)
		slices.Reverse(args)
	}
}

func decode[T any](t *testing.T, kvs ...kv) (T, error) {
	t.Helper()
	var dst T
	err := decoderFor[T](t).Decode("m", argsOf(kvs...), &dst)
	return dst, err
}

func TestDecodeTexts(t *testing.T) {
	type in struct {
		Addr   netip.Addr       `spoe:"addr,strict"`
		IP     net.IP           `spoe:"ip,strict"`
		Prefix netip.Prefix     `spoe:"prefix,strict"`
		Port   netip.AddrPort   `spoe:"addrport,strict"`
		F32    float32          `spoe:"f32,strict"`
		F64    float64          `spoe:"f64,strict"`
		D      time.Duration    `spoe:"d,strict"`
		T      time.Time        `spoe:"t,strict"`
		Q      url.Values       `spoe:"q,strict"`
		J      map[string]int   `spoe:"j,json,strict"`
		JP     *struct{ A int } `spoe:"jp,json,strict"`
	}
	got, err := decode[in](t,
		kv{"addr", codec.String("::ffff:192.0.2.1")}, kv{"ip", codec.String("192.0.2.1")},
		kv{"prefix", codec.String("192.0.2.0/24")}, kv{"addrport", codec.Binary([]byte("[::1]:80"))},
		kv{"f32", codec.String("-0.25")}, kv{"f64", codec.String("1e3")},
		kv{"d", codec.String("1m30s")}, kv{"t", codec.String("2026-01-02T03:04:05Z")},
		kv{"q", codec.String("a=1&b=2&a=3")}, kv{"j", codec.Binary([]byte(`{"a":1}`))}, kv{"jp", codec.String(`{"A":7}`)},
	)
	require.NoError(t, err)
	assert.Equal(t, in{
		mapped, net.IP(v4.AsSlice()), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParseAddrPort("[::1]:80"),
		-0.25, 1000, 90 * time.Second, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		url.Values{"a": {"1", "3"}, "b": {"2"}}, map[string]int{"a": 1}, &struct{ A int }{7},
	}, got)

	for name, bad := range map[string]string{
		"addr": "localhost", "ip": "fe80::1%eth0", "prefix": "1.2.3.4", "addrport": "x", "f32": "1e39", "f64": "NaN",
		"d": "5", "t": "yesterday", "q": "%zz", "j": "{", "jp": "[]",
	} {
		_, err := decode[in](t, kv{name, codec.String(bad)})
		var e *codec.BindError
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, name, e.Arg)
	}
	_, err = decode[in](t, kv{"f64", codec.String("Inf")})
	assert.Error(t, err)
}

func TestDecodeMappedStaysIPv6(t *testing.T) {
	type in struct {
		Addr netip.Addr `spoe:"ip"`
	}
	type ip struct {
		IP net.IP `spoe:"ip"`
	}
	a, err := decode[in](t, kv{"ip", codec.Addr(mapped)})
	require.NoError(t, err)
	assert.Equal(t, mapped, a.Addr)
	b, err := decode[ip](t, kv{"ip", codec.Addr(mapped)})
	require.NoError(t, err)
	assert.Len(t, b.IP, 16)
}

func TestDecodeHeaderField(t *testing.T) {
	type in struct {
		H http.Header `spoe:"headers,strict"`
	}
	want := in{http.Header{"Accept": {"a", "b"}, "Host": {"x"}}}
	for _, v := range []codec.Value{codec.Binary(hdrsBin), codec.String(hdrsText)} {
		got, err := decode[in](t, kv{"headers", v})
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := decode[in](t, kv{"headers", codec.Binary([]byte("\x09ab"))})
	var e *codec.Error
	require.Error(t, err)
	assert.False(t, errors.As(err, &e), "a bad sample is no malformed frame")
}

func integerRange[T any](t *testing.T, lo int64, hi uint64) {
	t.Helper()
	type in struct {
		N T `spoe:"n,strict"`
	}
	try := func(v codec.Value, fits bool) {
		t.Helper()
		got, err := decode[in](t, kv{"n", v})
		if !fits {
			var e *codec.BindError
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Error(), "wants an integer from")
			return
		}
		require.NoError(t, err)
		assert.Equal(t, v.String(), codecString(t, got.N))
	}
	try(codec.Int64(0), true)
	try(codec.Int64(lo), true)
	try(codec.Uint64(hi), true)
	try(codec.Int64(-1), lo < 0)
	if lo > math.MinInt64 {
		try(codec.Int64(lo-1), false)
	}
	if hi < math.MaxUint64 {
		try(codec.Uint64(hi+1), false)
	}
	try(codec.Uint64(math.MaxUint64), hi == math.MaxUint64)
	try(codec.Int64(math.MinInt64), lo == math.MinInt64)
}

func codecString(t *testing.T, v any) string {
	val, err := codec.ValueOf(v)
	require.NoError(t, err)
	return val.String()
}

func TestDecodeIntegerRanges(t *testing.T) {
	integerRange[int8](t, math.MinInt8, math.MaxInt8)
	integerRange[int16](t, math.MinInt16, math.MaxInt16)
	integerRange[int32](t, math.MinInt32, math.MaxInt32)
	integerRange[int64](t, math.MinInt64, math.MaxInt64)
	integerRange[int](t, math.MinInt, math.MaxInt)
	integerRange[uint8](t, 0, math.MaxUint8)
	integerRange[uint16](t, 0, math.MaxUint16)
	integerRange[uint32](t, 0, math.MaxUint32)
	integerRange[uint64](t, 0, math.MaxUint64)
	integerRange[uint](t, 0, math.MaxUint)
}

type tlsInfo struct {
	SNI  string `spoe:"sni,required"`
	ALPN string `spoe:"alpn,default=http/1.1"`
}

type Base struct {
	ID string `spoe:"id"`
}

type inner struct {
	Embedded int `spoe:"embedded"`
}

type nested struct {
	Base
	inner
	TLS   tlsInfo  `spoe:"tls"`
	Maybe *tlsInfo `spoe:"maybe"`
	Plain struct {
		A int `spoe:"plain-a"`
	}
	Skip  string `spoe:"-"`
	Other string
	//lint:ignore U1000 unexported fields are passed over
	hidden string
}

func TestDecodeNested(t *testing.T) {
	got, err := decode[nested](t,
		kv{"id", codec.String("1")}, kv{"embedded", codec.Int64(2)}, kv{"tls.sni", codec.String("a")},
		kv{"plain-a", codec.Int64(3)}, kv{"Skip", codec.String("x")}, kv{"Other", codec.String("x")})
	require.NoError(t, err)
	want := nested{Base: Base{"1"}, inner: inner{2}, TLS: tlsInfo{"a", "http/1.1"}}
	want.Plain.A = 3
	assert.Equal(t, want, got)

	got, err = decode[nested](t, kv{"tls.sni", codec.String("a")}, kv{"maybe.sni", codec.String("b")})
	require.NoError(t, err)
	assert.Equal(t, &tlsInfo{"b", "http/1.1"}, got.Maybe)

	_, err = decode[nested](t, kv{"tls.sni", codec.String("a")}, kv{"maybe.alpn", codec.String("h2")})
	assert.EqualError(t, err, `message "m": argument "maybe.sni" is missing; field codec_test.nested.Maybe.SNI (string) requires it`)
}

func TestDecodeEmbeddedPointer(t *testing.T) {
	type in struct {
		*Base
		N int `spoe:"n"`
	}
	got, err := decode[in](t, kv{"n", codec.Int64(1)})
	require.NoError(t, err)
	assert.Nil(t, got.Base)
	got, err = decode[in](t, kv{"id", codec.String("x")})
	require.NoError(t, err)
	assert.Equal(t, &Base{"x"}, got.Base)
}

func TestDecodeByPosition(t *testing.T) {
	type in struct {
		Src  netip.Addr `spoe:",pos=0,strict"`
		Port int        `spoe:"port,pos=1"`
		Name string     `spoe:"name"`
	}
	want := in{v4, 80, "x"}
	got, err := decode[in](t, kv{"", codec.Addr(v4)}, kv{"", codec.Int64(80)}, kv{"name", codec.String("x")})
	require.NoError(t, err)
	assert.Equal(t, want, got)
	got, err = decode[in](t, kv{"", codec.Addr(v4)}, kv{"name", codec.String("x")}, kv{"port", codec.Int64(80)})
	require.NoError(t, err)
	assert.Equal(t, want, got)
	got, err = decode[in](t, kv{"other", codec.Int64(1)}, kv{"", codec.Int64(80)}, kv{"", codec.Int64(80)})
	require.NoError(t, err)
	assert.Equal(t, in{Port: 80}, got)

	_, err = decode[in](t, kv{"", codec.Bool(true)})
	assert.EqualError(t, err, `message "m": argument 0 without a name is BOOL; field codec_test.in.Src (netip.Addr) wants IPV4, IPV6, STRING or BINARY`)
}

func TestDecodeDefaults(t *testing.T) {
	type in struct {
		S  string        `spoe:"s,default='a,b'"`
		B  []byte        `spoe:"b,default=xyz"`
		N  *int8         `spoe:"n,default=-128"`
		U  uint64        `spoe:"u,default=18446744073709551615"`
		On bool          `spoe:"on,default=true"`
		D  time.Duration `spoe:"d,default=20ms"`
		IP net.IP        `spoe:"ip,default=192.0.2.1"`
		A  netip.Addr    `spoe:"a,default=2001:db8::1"`
		J  []int         `spoe:"j,json,default='[1,2]'"`
		E  string        `spoe:"e,default="`
	}
	lo := int8(-128)
	want := in{"a,b", []byte("xyz"), &lo, math.MaxUint64, true, 20 * time.Millisecond, net.IP(v4.AsSlice()), v6, []int{1, 2}, ""}
	for _, kvs := range [][]kv{nil, {{"s", codec.Null()}, {"n", codec.Null()}}} {
		got, err := decode[in](t, kvs...)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		got.B[0] = 'X' // the next one has bytes of its own
		got.J[0] = 9
	}
	got, err := decode[in](t, kv{"n", codec.Int64(0)}, kv{"s", codec.String("")})
	require.NoError(t, err)
	assert.Equal(t, int8(0), *got.N)
	assert.Empty(t, got.S)
}

func TestDecodeRules(t *testing.T) {
	type in struct {
		A string  `spoe:"a"`
		B *string `spoe:"b"`
		C string
		D []byte `spoe:"d"`
	}
	t.Run("a reused struct leaks nothing", func(t *testing.T) {
		old := "old"
		dst := in{"old", &old, "old", []byte("old")}
		require.NoError(t, decoderFor[in](t).Decode("m", argsOf(), &dst))
		assert.Equal(t, in{}, dst)
	})
	t.Run("the first of two counts", func(t *testing.T) {
		got, err := decode[in](t, kv{"a", codec.String("1")}, kv{"a", codec.String("2")})
		require.NoError(t, err)
		assert.Equal(t, "1", got.A)
	})
	t.Run("empty is not missing", func(t *testing.T) {
		got, err := decode[in](t, kv{"b", codec.String("")}, kv{"d", codec.String("")})
		require.NoError(t, err)
		assert.NotNil(t, got.B)
		assert.NotNil(t, got.D)
	})
	t.Run("an append does not reach the neighbour", func(t *testing.T) {
		got, err := decode[in](t, kv{"d", codec.String("1")}, kv{"a", codec.String("2")}, kv{"b", codec.String("3")})
		require.NoError(t, err)
		assert.Equal(t, 1, cap(got.D))
		_ = append(got.D, "xxxx"...)
		assert.Equal(t, "2", got.A)
		assert.Equal(t, "3", *got.B)
	})
	t.Run("any order", func(t *testing.T) {
		d := decoderFor[in](t)
		for range 3 {
			for _, kvs := range [][]kv{
				{{"a", codec.String("A")}, {"b", codec.String("B")}, {"d", codec.String("D")}},
				{{"d", codec.String("D")}, {"x", codec.Int64(1)}, {"b", codec.String("B")}, {"a", codec.String("A")}},
				{{"x", codec.Null()}, {"b", codec.String("B")}, {"", codec.Null()}, {"a", codec.String("A")}, {"d", codec.String("D")}},
			} {
				var got in
				require.NoError(t, d.Decode("m", argsOf(kvs...), &got))
				assert.Equal(t, "A", got.A)
				assert.Equal(t, "B", *got.B)
				assert.Equal(t, "D", string(got.D))
			}
		}
	})
	t.Run("one byte is not borrowed", func(t *testing.T) {
		type one struct {
			S string      `spoe:"s"`
			B []byte      `spoe:"b"`
			V codec.Value `spoe:"v"`
		}
		for _, name := range []string{"s", "b", "v"} {
			args := argsOf(kv{name, codec.String("1")})
			var got one
			require.NoError(t, decoderFor[one](t).Decode("m", args, &got))
			clear(args.Raw())
			assert.Equal(t, "1", got.S+string(got.B)+got.V.Str(), name)
		}
	})
	t.Run("a number beside a string", func(t *testing.T) {
		got, err := decode[struct {
			S string      `spoe:"s"`
			V codec.Value `spoe:"v"`
		}](t, kv{"s", codec.String("text")}, kv{"v", codec.Int64(7)})
		require.NoError(t, err)
		assert.True(t, codec.Int64(7).Equal(got.V))
	})
	t.Run("malformed", func(t *testing.T) {
		var dst in
		err := decoderFor[in](t).Decode("m", codec.NewArgs(codec.AppendArg(nil, "a", codec.String("x")), 2), &dst)
		var e *codec.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, codec.StatusInvalid, e.Status)
		assert.Equal(t, in{}, dst)
	})
	t.Run("wrong dst", func(t *testing.T) {
		d := decoderFor[in](t)
		assert.EqualError(t, d.Decode("m", argsOf(), in{}), "codec: this decoder binds to a *codec_test.in, not to a codec_test.in")
		assert.EqualError(t, d.Decode("m", argsOf(), nil), "codec: this decoder binds to a *codec_test.in, not to a <nil>")
		assert.EqualError(t, d.Decode("m", argsOf(), (*in)(nil)), "codec: cannot bind arguments to a nil *codec_test.in; pass one that points to a struct")
		assert.Error(t, codec.Unmarshal(argsOf(), nil))
		assert.Error(t, codec.Unmarshal(argsOf(), in{}))
		assert.Error(t, codec.Unmarshal(argsOf(), new(int)))
	})
}

// TestDecodeManyFields takes the way of more than fewFields, up to all 255.
func TestDecodeManyFields(t *testing.T) {
	for _, n := range []int{16, 17, 64, 65, 255} {
		var fields []reflect.StructField
		var kvs []kv
		for i := range n {
			name := "a" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('0'+i/26))
			fields = append(fields, reflect.StructField{Name: "F" + name, Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`spoe:"` + name + `,required"`)})
			kvs = append(kvs, kv{name, codec.String(name)})
		}
		st := reflect.StructOf(fields)
		d, err := codec.DecoderOf(st)
		require.NoError(t, err)
		for range 2 {
			dst := reflect.New(st)
			require.NoError(t, d.Decode("m", argsOf(kvs...), dst.Interface()))
			for i := range n {
				assert.Equal(t, fields[i].Name, "F"+dst.Elem().Field(i).String())
			}
			assert.Error(t, d.Decode("m", argsOf(kvs[1:]...), dst.Interface()))
			for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
				kvs[i], kvs[j] = kvs[j], kvs[i]
			}
		}
	}
}

func TestBindErrors(t *testing.T) {
	type in struct {
		Port  uint16         `spoe:"port,strict"`
		IP    netip.Addr     `spoe:"ip,required"`
		Token float64        `spoe:"token,secret,strict"`
		Pin   level          `spoe:"pin,secret,strict"`
		Level level          `spoe:"level,strict"`
		H     http.Header    `spoe:"h,strict"`
		Q     url.Values     `spoe:"q,strict"`
		J     map[string]int `spoe:"j,json,strict"`
		On    bool           `spoe:"on,strict"`
	}
	ip := kv{"ip", codec.Addr(v4)}
	const header = `; field codec_test.in.H (http.Header) wants HAProxy's req.hdrs_bin as BINARY or req.hdrs as STRING: `
	tests := []struct {
		name        string
		args        []kv
		want, value string
	}{
		{"missing", nil, `message "m": argument "ip" is missing; field codec_test.in.IP (netip.Addr) requires it`, ""},
		{"null", []kv{{"ip", codec.Null()}}, `message "m": argument "ip" is NULL; field codec_test.in.IP (netip.Addr) requires it`, ""},
		{"required", []kv{{"ip", codec.String("secret")}}, `message "m": argument "ip" is a STRING of 6 bytes; field codec_test.in.IP (netip.Addr) wants an IP address`, `"secret"`},
		{"zone", []kv{{"ip", codec.String("fe80::1%secret")}}, `message "m": argument "ip" is a STRING of 14 bytes; field codec_test.in.IP (netip.Addr) wants an IP address: the address has a zone`, `"fe80::1%secret"`},
		{"type", []kv{ip, {"port", codec.String("80")}}, `message "m": argument "port" is a STRING of 2 bytes; field codec_test.in.Port (uint16) wants INT32, UINT32, INT64 or UINT64`, `"80"`},
		{"range", []kv{ip, {"port", codec.Int64(70000)}}, `message "m": argument "port" is INT64; field codec_test.in.Port (uint16) wants an integer from 0 to 65535`, "70000"},
		{"own", []kv{ip, {"level", codec.String("x")}}, `message "m": argument "level" is a STRING of 1 bytes; field codec_test.in.Level (codec_test.level) wants text that its UnmarshalText takes`, `"x"`},
		{"long", []kv{ip, {"level", codec.String(strings.Repeat("x", 200))}}, `message "m": argument "level" is a STRING of 200 bytes; field codec_test.in.Level (codec_test.level) wants text that its UnmarshalText takes`, `"` + strings.Repeat("x", 48) + `"… (200 bytes)`},
		{"longest", []kv{ip, {"level", codec.String(strings.Repeat("x", 48))}}, `message "m": argument "level" is a STRING of 48 bytes; field codec_test.in.Level (codec_test.level) wants text that its UnmarshalText takes`, `"` + strings.Repeat("x", 48) + `"`},
		{"one type", []kv{ip, {"on", codec.Int64(1)}}, `message "m": argument "on" is INT64; field codec_test.in.On (bool) wants BOOL`, "1"},
		{"secret", []kv{ip, {"token", codec.String("hunter2")}}, `message "m": argument "token" is a STRING of 7 bytes; field codec_test.in.Token (float64) wants a finite decimal number`, ""},
		{"secret own", []kv{ip, {"pin", codec.String("hunter2")}}, `message "m": argument "pin" is a STRING of 7 bytes; field codec_test.in.Pin (codec_test.level) wants text that its UnmarshalText takes`, ""},
		{"NUL in a header", []kv{ip, {"h", codec.Binary(headersBin("A", "b", "Cookie", "s=1\x00"))}}, `message "m": argument "h" is a BINARY of 16 bytes` + header + `header with a line break or a NUL in its value at byte 4`, `"\x01A\x01b\x06Cookie\x04s=1\x00"`},
		{"no colon", []kv{ip, {"h", codec.String("A: b\r\nsecret\r\n")}}, `message "m": argument "h" is a STRING of 14 bytes` + header + `header line without a colon at byte 6`, `"A: b\r\nsecret\r\n"`},
		{"escape", []kv{ip, {"q", codec.String("password=%zz")}}, `message "m": argument "q" is a STRING of 12 bytes; field codec_test.in.Q (url.Values) wants a query string: a '%' that begins no escape`, `"password=%zz"`},
		{"JSON", []kv{ip, {"j", codec.String(`{"password": hunter2}`)}}, `message "m": argument "j" is a STRING of 21 bytes; field codec_test.in.J (map[string]int) wants JSON: a mistake in the JSON at byte 14`, `"{\"password\": hunter2}"`},
		{"JSON of another shape", []kv{ip, {"j", codec.String(`{"password": "hunter2"}`)}}, `message "m": argument "j" is a STRING of 23 bytes; field codec_test.in.J (map[string]int) wants JSON: a JSON value of another type at byte 22`, `"{\"password\": \"hunter2\"}"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := decode[in](t, test.args...)
			require.EqualError(t, err, test.want)
			var e *codec.BindError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.value, e.Value())
			assert.Equal(t, e.Arg == "level", e.Err != nil)
		})
	}
}

// TestMissing: the error of a required field reports whether the message has its argument.
func TestMissing(t *testing.T) {
	type in struct {
		A int `spoe:"a,pos=0,required"`
	}
	type unnamed struct {
		A int `spoe:",pos=0,required"`
	}
	for _, test := range []struct {
		name    string
		args    []kv
		a       bool // missing for a field with a name
		unnamed bool // missing for one without
	}{
		{"none", nil, true, true},
		{"its name", []kv{{"a", codec.Null()}}, false, true},
		{"its name, elsewhere", []kv{{"b", codec.Int64(1)}, {"a", codec.Null()}}, false, true},
		{"its position", []kv{{"", codec.Null()}}, false, false},
		{"another position", []kv{{"b", codec.Int64(1)}, {"", codec.Int64(1)}}, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var e *codec.BindError
			_, err := decode[in](t, test.args...)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.a, e.Missing)
			assert.Equal(t, "a", e.Arg)
			assert.Equal(t, codec.TypeNull, e.Got)
			assert.Contains(t, e.Want, "an integer from ")
			_, err = decode[unnamed](t, test.args...)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.unnamed, e.Missing)
			assert.Empty(t, e.Arg)
		})
	}
}

func TestDecodeConcurrently(t *testing.T) {
	d := decoderFor[request](t)
	args := requestArgs()
	var want request
	require.NoError(t, d.Decode("m", args, &want))
	done := make(chan error)
	for range 4 {
		go func() { // ends by itself; waited for below
			var err error
			for range 1000 {
				var got request
				if e := d.Decode("m", args, &got); e != nil || got != want {
					err = errors.Join(err, errors.New("not what was sent"), e)
				}
			}
			done <- err
		}()
	}
	for range 4 {
		assert.NoError(t, <-done)
	}
}
