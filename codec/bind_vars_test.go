package codec_test

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func encode[T any](t *testing.T, src T) ([]codec.Action, error) {
	t.Helper()
	prefix := []byte("before")
	b, err := encoderFor[T](t).Append(prefix, &src)
	require.Equal(t, "before", string(b[:len(prefix)]))
	if err != nil {
		require.Equal(t, prefix, b, "after an error b is as it was given")
		return nil, err
	}
	acts, perr := codec.ParseActions(b[len(prefix):])
	require.NoError(t, perr)
	return acts, nil
}

// lower makes a value its own way.
type lower string

func (l lower) MarshalSPOE() (codec.Value, error) {
	switch l {
	case "":
		return codec.Null(), nil
	case "bad":
		return codec.Value{}, errors.New("no such level")
	}
	return codec.String("<" + string(l) + ">"), nil
}

type texter struct{ n int }

func (x texter) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "n%d", x.n), nil }

func TestEncodeTypes(t *testing.T) {
	h := http.Header{"B": {"2", "3"}, "A": {"1"}}
	tests := []struct {
		src  any
		want codec.Value
	}{
		{true, codec.Bool(true)}, {false, codec.Bool(false)}, {myBool(true), codec.Bool(true)},
		{math.MinInt, codec.Int64(math.MinInt)}, {int64(math.MaxInt64), codec.Int64(math.MaxInt64)},
		{int8(-128), codec.Int32(-128)}, {int16(math.MinInt16), codec.Int32(math.MinInt16)}, {int32(math.MinInt32), codec.Int32(math.MinInt32)},
		{myInt(-1), codec.Int32(-1)},
		{uint8(255), codec.Uint32(255)}, {uint16(math.MaxUint16), codec.Uint32(math.MaxUint16)}, {uint32(math.MaxUint32), codec.Uint32(math.MaxUint32)},
		{uint(math.MaxUint), codec.Uint64(math.MaxUint)}, {uint64(math.MaxUint64), codec.Uint64(math.MaxUint64)},
		{0.1, codec.String("0.1")}, {float32(0.1), codec.String("0.1")}, {-1e21, codec.String("-1000000000000000000000")},
		{math.SmallestNonzeroFloat64, codec.Float(math.SmallestNonzeroFloat64)}, // 326 digits: a length of two bytes
		{math.MaxFloat64, codec.Float(math.MaxFloat64)},
		{"", codec.String("")}, {"x", codec.String("x")}, {myString("x"), codec.String("x")},
		{[]byte(nil), codec.Binary(nil)}, {[]byte{0, 1}, codec.Binary([]byte{0, 1})}, {myBytes("x"), codec.Binary([]byte("x"))},
		{v4, codec.Addr(v4)}, {v6, codec.Addr(v6)}, {mapped, codec.Addr(mapped)},
		{net.IP(v6.AsSlice()), codec.Addr(v6)}, {net.ParseIP("192.0.2.1"), codec.Addr(v4)},
		{netip.MustParsePrefix("192.0.2.0/24"), codec.String("192.0.2.0/24")},
		{netip.MustParseAddrPort("[::1]:80"), codec.String("[::1]:80")},
		{1500 * time.Millisecond, codec.Int64(1500)},
		{time.Unix(1, 0).UTC(), codec.String("1970-01-01T00:00:01Z")},
		{h, codec.Binary(codec.AppendHeadersBin(nil, h))},
		{url.Values{"a": {"1 2"}}, codec.String("a=1+2")},
		{lower("x"), codec.String("<x>")}, {texter{7}, codec.String("n7")},
		{codec.Int32(7), codec.Int32(7)},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%T %v", test.src, test.want), func(t *testing.T) {
			typ := reflect.TypeOf(test.src)
			for _, field := range []reflect.Type{typ, reflect.PointerTo(typ), reflect.TypeFor[any]()} {
				src := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "F", Type: field, Tag: `spoe:"f,res"`}}))
				switch field.Kind() {
				case reflect.Interface:
					if _, err := codec.ValueOf(test.src); err != nil {
						continue
					}
					fallthrough
				default:
					v := reflect.ValueOf(test.src)
					if field.Kind() == reflect.Pointer {
						v = reflect.New(typ)
						v.Elem().Set(reflect.ValueOf(test.src))
					}
					src.Elem().Field(0).Set(v)
				}
				e, err := codec.EncoderOf(src.Type())
				require.NoError(t, err)
				b, err := e.Append(nil, src.Interface())
				require.NoError(t, err)
				assert.Equal(t, codec.AppendSetVar(nil, codec.ScopeResponse, "f", test.want), b)
			}
		})
	}
}

func TestEncodeAbsent(t *testing.T) {
	type sub struct {
		X int  `spoe:"x"`
		Y *int `spoe:"y,unset"`
	}
	type out struct {
		P     *int            `spoe:"p"`
		PU    *int            `spoe:"pu,proc,unset"`
		A     netip.Addr      `spoe:"a"`
		AU    netip.Addr      `spoe:"au,req,unset"`
		IP    net.IP          `spoe:"ip,unset"`
		V     codec.Value     `spoe:"v,unset"`
		Any   any             `spoe:"any,unset"`
		Hook  lower           `spoe:"hook,unset"`
		S     string          `spoe:"s,omitempty"`
		B     []byte          `spoe:"b,omitempty"`
		N     int8            `spoe:"n,omitempty"`
		On    bool            `spoe:"on,omitempty"`
		F     float64         `spoe:"f,omitempty"`
		H     http.Header     `spoe:"h,omitempty"`
		T     time.Time       `spoe:"t,omitempty"`
		J     []int           `spoe:"j,json,omitempty"`
		JS    struct{ A int } `spoe:"js,json,omitempty"`
		AO    netip.Addr      `spoe:"ao,omitempty"`
		Zero  *int            `spoe:"zero,omitempty,unset"`
		Sub   *sub            `spoe:"sub"`
		Skip  string
		Minus string `spoe:"-"`
	}
	names := func(acts []codec.Action) (s []string) {
		for _, a := range acts {
			kind := "set"
			if a.Unset {
				kind = "unset"
			}
			s = append(s, kind+" "+a.Scope.String()+"."+a.Name+" "+a.Value.String())
		}
		return s
	}
	acts, err := encode(t, out{J: []int{}}) // an empty slice is zero, too
	require.NoError(t, err)
	assert.Equal(t, []string{
		"unset proc.pu null", "unset req.au null", "unset txn.ip null", "unset txn.v null", "unset txn.any null", "unset txn.hook null",
		"unset txn.zero null", "unset txn.sub.y null",
	}, names(acts))

	zero := 0
	acts, err = encode(t, out{P: &zero, PU: &zero, S: "s", N: -1, On: true, F: 1, J: []int{1}, JS: struct{ A int }{1}, AO: v4, Zero: &zero, Sub: &sub{}})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"set txn.p 0", "set proc.pu 0", "unset req.au null", "unset txn.ip null", "unset txn.v null", "unset txn.any null", "unset txn.hook null",
		"set txn.s s", "set txn.n -1", "set txn.on true", "set txn.f 1", "set txn.j [1]", `set txn.js {"A":1}`, "set txn.ao 192.0.2.1", "set txn.zero 0",
		"set txn.sub.x 0", "unset txn.sub.y null",
	}, names(acts))

	b, err := encoderFor[out](t).Append([]byte("x"), (*out)(nil))
	require.NoError(t, err)
	assert.Equal(t, "x", string(b))
}

func TestEncodeErrors(t *testing.T) {
	type out struct {
		Ok   int         `spoe:"ok"`
		F    float64     `spoe:"f"`
		Any  any         `spoe:"any"`
		Hook lower       `spoe:"hook"`
		IP   net.IP      `spoe:"ip"`
		H    http.Header `spoe:"h,sess"`
		J    any         `spoe:"j,json"`
	}
	for want, src := range map[string]out{
		"codec: field codec_test.out.F of variable txn.f: NaN has no decimal form; set another value or none":                                                    {F: math.NaN()},
		"codec: field codec_test.out.Any of variable txn.any: a []int has no SPOP type; use a bool, an integer, a float, a string, []byte, netip.Addr or net.IP": {Any: []int{}},
		"codec: field codec_test.out.Hook of variable txn.hook: no such level":                                                                                   {Hook: "bad"},
		"codec: field codec_test.out.IP of variable txn.ip: a net.IP of 3 bytes is no address; it has 4 or 16":                                                   {IP: net.IP{1, 2, 3}},
		`codec: field codec_test.out.H of variable sess.h: header "A" with a line break or a NUL in its value`:                                                   {H: http.Header{"A": {"x\r\nB: y"}}},
		"codec: field codec_test.out.J of variable txn.j: json: unsupported type: chan int":                                                                      {J: make(chan int)},
	} {
		_, err := encode(t, src)
		assert.EqualError(t, err, want)
	}
	b, err := encoderFor[out](t).Append([]byte("x"), out{})
	assert.EqualError(t, err, "codec: this encoder takes a *codec_test.out, not a codec_test.out")
	assert.Equal(t, "x", string(b))
}

// TestBindRoundTrip sends a struct as variables and takes them back as arguments.
func TestBindRoundTrip(t *testing.T) {
	type all struct {
		B   bool          `spoe:"b"`
		I8  int8          `spoe:"i8"`
		I64 int64         `spoe:"i64"`
		U8  uint8         `spoe:"u8"`
		U64 uint64        `spoe:"u64"`
		F32 float32       `spoe:"f32"`
		F64 float64       `spoe:"f64"`
		S   string        `spoe:"s"`
		BS  []byte        `spoe:"bs"`
		A   netip.Addr    `spoe:"a"`
		IP  net.IP        `spoe:"ip"`
		P   netip.Prefix  `spoe:"p"`
		D   time.Duration `spoe:"d"`
		T   time.Time     `spoe:"t"`
		H   http.Header   `spoe:"h"`
		Q   url.Values    `spoe:"q"`
		J   []int         `spoe:"j,json"`
		N   *int          `spoe:"n"`
	}
	n := 5
	for _, want := range []all{
		{true, math.MinInt8, math.MinInt64, math.MaxUint8, math.MaxUint64, math.MaxFloat32, math.MaxFloat64, "s", []byte("bs"), mapped, net.IP(v4.AsSlice()),
			netip.MustParsePrefix("2001:db8::/32"), -time.Second, time.Unix(1, 5).UTC(), http.Header{"A": {"1", "2"}}, url.Values{"q": {"1"}}, []int{1}, &n},
		{false, math.MaxInt8, math.MaxInt64, 0, 0, math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat64, "", []byte{}, v6, net.IP(v6.AsSlice()),
			netip.MustParsePrefix("0.0.0.0/0"), 0, time.Unix(0, 0).UTC(), http.Header{}, url.Values{}, []int{}, nil},
	} {
		acts, err := encode(t, want)
		require.NoError(t, err)
		var kvs []kv
		for _, a := range acts {
			kvs = append(kvs, kv{a.Name, a.Value})
		}
		got, err := decode[all](t, kvs...)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// TestEncodeInfinity: neither infinity has a decimal form.
func TestEncodeInfinity(t *testing.T) {
	type out struct {
		F float64 `spoe:"f"`
		G float32 `spoe:"g"`
	}
	for _, f := range []float64{math.Inf(1), math.Inf(-1)} {
		_, err := encode(t, out{F: f})
		assert.ErrorContains(t, err, "has no decimal form")
		_, err = encode(t, out{G: float32(f)})
		assert.ErrorContains(t, err, "has no decimal form")
	}
}
