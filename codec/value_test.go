package codec_test

import (
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// reread sends v as an argument and returns what is read back.
func reread(t *testing.T, v codec.Value) codec.Value {
	t.Helper()
	name, got, ok := codec.NewArgs(codec.AppendArg(nil, "v", v), 1).At(0)
	require.True(t, ok)
	require.Equal(t, "v", name)
	return got
}

func TestValueRoundTrip(t *testing.T) {
	values := []codec.Value{
		codec.Null(), codec.Bool(true), codec.Bool(false), codec.Addr(v4), codec.Addr(v6), codec.Addr(mapped),
		codec.Addr(netip.IPv4Unspecified()), codec.Addr(netip.IPv6Unspecified()), codec.Addr(netip.Addr{}),
	}
	for _, e := range edges() {
		values = append(values, codec.Int64(int64(e)), codec.Uint64(e), codec.Int32(int32(e)), codec.Uint32(uint32(e)))
	}
	for _, n := range []int{0, 1, 239, 240, 2287, 2288, 264431, 264432} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		values = append(values, codec.String(string(b)), codec.Binary(b))
	}
	for _, v := range values {
		got := reread(t, v)
		require.True(t, v.Equal(got), "%s %.40s", v.Type(), v)
		require.True(t, v.Equal(got.Clone()))
		require.Equal(t, v.Any(), got.Any())
		again, err := codec.ValueOf(v)
		require.NoError(t, err)
		require.True(t, v.Equal(again))
	}
	for i, v := range values {
		for j, w := range values {
			if i != j && v.Type() != w.Type() {
				assert.False(t, v.Equal(w))
			}
		}
	}
}

func TestValueIntegers(t *testing.T) {
	// Negative numbers are 64-bit two's complement, ten bytes long.
	assert.Len(t, codec.AppendValue(nil, codec.Int64(-1)), 11)
	assert.Len(t, codec.AppendValue(nil, codec.Int32(-1)), 11)

	tests := []struct {
		v       codec.Value
		i       int64
		iOK     bool
		u       uint64
		uOK     bool
		comment string
	}{
		{codec.Int64(-1), -1, true, math.MaxUint64, false, "negative"},
		{codec.Int32(-1), -1, true, math.MaxUint64, false, "negative"},
		{codec.Uint64(math.MaxUint64), -1, false, math.MaxUint64, true, "over int64"},
		{codec.Uint64(math.MaxInt64), math.MaxInt64, true, math.MaxInt64, true, "the greatest int64"},
		{codec.Uint32(math.MaxUint32), math.MaxUint32, true, math.MaxUint32, true, "the greatest uint32"},
		{codec.Uint64(0), 0, true, 0, true, "zero"},
		{codec.Int64(0), 0, true, 0, true, "zero"},
		{codec.Bool(true), 0, false, 0, false, "no integer"},
		{codec.String("1"), 0, false, 0, false, "no integer"},
	}
	for _, test := range tests {
		i, ok := test.v.Int()
		assert.Equal(t, test.iOK, ok, test.comment)
		if ok {
			assert.Equal(t, test.i, i, test.comment)
		}
		u, ok := test.v.Uint()
		assert.Equal(t, test.uOK, ok, test.comment)
		if ok {
			assert.Equal(t, test.u, u, test.comment)
		}
	}

	// A UINT32 with 64 bits is no negative number.
	raw := codec.AppendVarint([]byte{0, byte(codec.TypeUint32)}, math.MaxUint64)
	_, v, ok := codec.NewArgs(raw, 1).At(0)
	require.True(t, ok)
	_, ok = v.Int()
	assert.False(t, ok)
}

// TestValueAddr: only an IPv4 or IPv6 is an address.
func TestValueAddr(t *testing.T) {
	for _, want := range []netip.Addr{v4, v6, mapped} {
		got, ok := codec.Addr(want).Addr()
		assert.True(t, ok, want)
		assert.Equal(t, want, got)
	}
	for _, v := range []codec.Value{codec.Null(), codec.Bool(true), codec.Int64(1), codec.String("192.0.2.1")} {
		got, ok := v.Addr()
		assert.False(t, ok, v)
		assert.Zero(t, got, v)
	}
}

// TestNoInteger: a value of another type is 0 as an integer.
func TestNoInteger(t *testing.T) {
	for _, v := range []codec.Value{codec.Null(), codec.Bool(true), codec.String("1"), codec.Addr(v4)} {
		i, ok := v.Int()
		assert.False(t, ok)
		assert.Zero(t, i)
		u, ok := v.Uint()
		assert.False(t, ok)
		assert.Zero(t, u)
	}
}

func TestValueAny(t *testing.T) {
	for want, v := range map[any]codec.Value{
		true: codec.Bool(true), 1: codec.Int64(1), -1: codec.Int32(-1), uint(1): codec.Uint32(1), uint(2): codec.Uint64(2),
		"s": codec.String("s"), nil: codec.Null(),
	} {
		assert.Equal(t, want, v.Any())
	}
	assert.Equal(t, net.IP{192, 0, 2, 1}, codec.Addr(v4).Any())
	assert.Len(t, codec.Addr(mapped).Any(), 16)
	assert.Equal(t, []byte{}, codec.Binary(nil).Any())
}

func TestValueString(t *testing.T) {
	for want, v := range map[string]codec.Value{
		"null": codec.Null(), "true": codec.Bool(true), "-1": codec.Int32(-1), "18446744073709551615": codec.Uint64(math.MaxUint64),
		"192.0.2.1": codec.Addr(v4), "::ffff:192.0.2.1": codec.Addr(mapped), "s": codec.String("s"), `"\x00"`: codec.Binary([]byte{0}),
	} {
		assert.Equal(t, want, v.String())
	}
}

func TestValueRefused(t *testing.T) {
	tests := map[string][]byte{
		"reserved 10": {0, 10}, "reserved 15": {0, 15}, "no type": {0}, "no name": {},
		"short IPv4": {0, 6, 1, 2, 3}, "short IPv6": append([]byte{0, 7}, make([]byte, 15)...),
		"string beyond": {0, 8, 2, 'a'}, "name beyond": {2, 'a'}, "name beyond, nothing": {239},
		"string of 2^64-1": append([]byte{0, 9}, codec.AppendVarint(nil, math.MaxUint64)...),
		"string of 2^63":   append([]byte{0, 9}, codec.AppendVarint(nil, 1<<63)...),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			args := codec.NewArgs(raw, 1)
			var e *codec.Error
			require.ErrorAs(t, args.Err(), &e)
			assert.Equal(t, codec.StatusInvalid, e.Status)
			_, _, ok := args.At(0)
			assert.False(t, ok)
			_, ok = args.Lookup("")
			assert.False(t, ok)
			for range args.All() {
				t.Error("no argument can be read")
			}
			_, _, _, ok = args.Next()
			assert.False(t, ok)
			_, err := codec.CheckMessages(append(codec.AppendMessage(nil, "m", 1), raw...))
			assert.Error(t, err)
		})
	}
}

// TestNextEnds: no argument is read after the last one, whatever follows it.
func TestNextEnds(t *testing.T) {
	raw := codec.AppendArg(codec.AppendArg(nil, "a", codec.Bool(true)), "b", codec.Bool(true))
	_, _, rest, ok := codec.NewArgs(raw, 1).Next()
	assert.True(t, ok)
	_, _, _, ok = rest.Next()
	assert.False(t, ok)
}

// TestValueFlags: the upper bits have a meaning only for BOOL, §3.1.
func TestValueFlags(t *testing.T) {
	_, v, ok := codec.NewArgs([]byte{0, 0xf1}, 1).At(0)
	require.True(t, ok)
	assert.True(t, codec.Bool(true).Equal(v))
	_, v, ok = codec.NewArgs([]byte{0, 0xe1}, 1).At(0)
	require.True(t, ok)
	assert.True(t, codec.Bool(false).Equal(v))
}

func TestValueBool(t *testing.T) {
	for _, test := range []struct {
		v       codec.Value
		val, ok bool
	}{{codec.Bool(true), true, true}, {codec.Bool(false), false, true}, {codec.Int64(1), false, false}, {codec.Null(), false, false}} {
		val, ok := test.v.Bool()
		assert.Equal(t, test.val, val, test.v)
		assert.Equal(t, test.ok, ok, test.v)
	}
}

// TestValueEqual: values of one type are equal if all of their bytes are.
func TestValueEqual(t *testing.T) {
	values := []codec.Value{
		codec.Null(), codec.Bool(true), codec.Bool(false), codec.Int64(1), codec.Int64(2), codec.Int32(1), codec.Uint64(1), codec.Addr(v4), codec.Addr(v6), codec.Addr(mapped),
		codec.Addr(netip.MustParseAddr("2001:db8:1::1")), codec.String("a"), codec.String("b"), codec.String(""), codec.Binary([]byte("a")), codec.Binary(nil),
	}
	for i, v := range values {
		for j, w := range values {
			assert.Equal(t, i == j, v.Equal(w), "%s %s, %s %s", v.Type(), v, w.Type(), w)
		}
	}
}

// TestNoDecimal: an infinity and a NaN are no values.
func TestNoDecimal(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, v := range []any{f, float32(f)} {
			_, err := codec.ValueOf(v)
			assert.ErrorContains(t, err, "has no decimal form", v)
		}
	}
}
