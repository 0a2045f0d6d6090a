package docs_test

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// goType is a row of the tables.
type goType struct {
	name string // as the table has it; empty for the type's own
	typ  reflect.Type
	json bool
	// argument reports that the type takes arguments only.
	argument bool
	// examples are arguments, values are results.
	examples []codec.Value
	values   []any
}

func row[T any](examples ...codec.Value) goType {
	return goType{typ: reflect.TypeFor[T](), examples: examples}
}

func (g goType) sends(values ...any) goType { g.values = values; return g }
func (g goType) as(name string) goType      { g.name = name; return g }

func (g goType) String() string {
	name := g.name
	if name == "" {
		name = "`" + strings.ReplaceAll(g.typ.String(), "interface {}", "any") + "`"
	}
	return strings.ReplaceAll(name, "[]uint8", "[]byte")
}

// structType returns a struct with a field F of the type.
func (g goType) structType(options string) reflect.Type {
	if g.json {
		options += ",json"
	}
	return reflect.StructOf([]reflect.StructField{{Name: "F", Type: g.typ, Tag: reflect.StructTag(`spoe:"f` + options + `"`)}})
}

// Types with the hooks that the table has rows for.

type color struct{ name string }

func (c *color) UnmarshalSPOE(v codec.Value) error  { c.name = v.String(); return nil }
func (c color) MarshalSPOE() (codec.Value, error)   { return codec.String(c.name), nil }
func (c color) String() string                      { return c.name }
func (l *level) UnmarshalText(text []byte) error    { l.name = string(text); return nil }
func (l level) MarshalText() (text []byte, e error) { return []byte(l.name), nil }
func (l level) String() string                      { return l.name }

type level struct{ name string }

type point struct{ X, Y int }

var (
	v4, v6   = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	mapped   = netip.MustParseAddr("::ffff:192.0.2.1")
	headers  = http.Header{"Host": {"example.org"}}
	noon     = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	str, num = codec.String, codec.Int64
)

// goTypes are the rows.
var goTypes = []goType{
	row[bool](codec.Bool(true)).sends(true),
	row[int](num(-1), codec.Uint64(1<<63)).sends(-1),
	row[int8](num(127), num(200)).sends(int8(-1)),
	row[int16](num(-1)).sends(int16(-1)),
	row[int32](num(-1)).sends(int32(-1)),
	row[int64](num(-1)).sends(int64(-1)),
	row[uint](num(1), num(-1)).sends(uint(1)),
	row[uint8](num(255), num(256)).sends(uint8(1)),
	row[uint16](num(443)).sends(uint16(443)),
	row[uint32](num(1)).sends(uint32(1)),
	row[uint64](num(1)).sends(uint64(1)),
	row[float32](str("0.1")).sends(float32(0.1)),
	row[float64](str("1e3"), num(3), str("NaN")).sends(1.0, 0.25),
	row[string](str("text"), codec.Binary([]byte("text")), num(1)).sends("text"),
	row[[]byte](str("text"), codec.Binary([]byte{0, 255})).sends([]byte("text")),
	row[netip.Addr](codec.Addr(v4), codec.Addr(mapped), str("2001:db8::1"), str("example.org")).sends(v4, mapped),
	row[net.IP](codec.Addr(v4), str("192.0.2.1")).sends(net.ParseIP("192.0.2.1"), net.ParseIP("2001:db8::1")),
	row[time.Duration](num(1500), str("1m30s"), str("1500")).sends(90*time.Second, 1500*time.Microsecond),
	row[time.Time](num(noon.Unix()), str("2026-01-02T12:00:00Z")).sends(noon),
	row[http.Header](codec.Binary(codec.AppendHeadersBin(nil, headers)), str("Host: example.org\r\n\r\n"), codec.Binary([]byte("\x03X-A\x03a\x00b\x00\x00"))).sends(headers),
	row[codec.HeaderBlock](codec.Binary(codec.AppendHeadersBin(nil, headers))).sends(codec.NewHeaderBlock(codec.AppendHeadersBin(nil, headers))),
	row[url.Values](str("a=b&c=d"), str("a=%zz&c=d")).sends(url.Values{"a": {"b"}}),
	{name: "a slice of these, such as `[]string`", typ: reflect.TypeFor[[]string](), argument: true, examples: []codec.Value{str("text")}},
	row[any](num(-1), codec.Addr(v4), str("text"), codec.Binary([]byte("ab"))).sends(1, "text"),
	row[codec.Value](num(-1), str("text")).sends(num(1), codec.Addr(v6)),
	row[color](num(7)).sends(color{"red"}).as("a `codec.Unmarshaler`, `codec.Marshaler`"),
	row[level](str("high"), num(7), codec.Addr(v4)).sends(level{"high"}).as("an `encoding.TextUnmarshaler`, `TextMarshaler`"),
	row[netip.Prefix](str("192.0.2.0/24"), str("192.0.2.1")).sends(netip.MustParsePrefix("192.0.2.0/24")).as("such as `netip.Prefix`"),
	{name: "anything with `json`", typ: reflect.TypeFor[point](), json: true, examples: []codec.Value{str(`{"X":1,"Y":2}`), str("no")}, values: []any{point{1, 2}}},
}

var texts = []string{"", "text", "42", "-1.5", "1m30s", "192.0.2.1", "2001:db8::1", "192.0.2.0/24",
	"2026-01-02T15:04:05Z", "a=b&c=%64", "a=%", "Host: example.org\r\n\r\n", `{"X":1}`, "true", "\xff\x00"}

// column is an SPOP type with values to try it with.
type column struct {
	typ    codec.Type
	values []codec.Value
}

func columns() []column {
	var strs, bins, i32, u32, i64, u64 []codec.Value
	for _, s := range texts {
		strs, bins = append(strs, codec.String(s)), append(bins, codec.Binary([]byte(s)))
	}
	bins = append(bins, codec.Binary(codec.AppendHeadersBin(nil, headers)))
	for _, i := range []int64{0, 1, -1, 127, 128, -129, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1<<31 - 1, -1 << 31} {
		i32, i64 = append(i32, codec.Int32(int32(i))), append(i64, codec.Int64(i))
	}
	i64 = append(i64, codec.Int64(1<<31), codec.Int64(-1<<63), codec.Int64(1<<63-1))
	for _, u := range []uint64{0, 1, 127, 128, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		u32, u64 = append(u32, codec.Uint32(uint32(u))), append(u64, codec.Uint64(u))
	}
	u64 = append(u64, codec.Uint64(1<<32), codec.Uint64(1<<63), codec.Uint64(1<<64-1))
	return []column{
		{codec.TypeBool, []codec.Value{codec.Bool(true), codec.Bool(false)}},
		{codec.TypeInt32, i32}, {codec.TypeUint32, u32}, {codec.TypeInt64, i64}, {codec.TypeUint64, u64},
		{codec.TypeIPv4, []codec.Value{codec.Addr(v4), codec.Addr(netip.IPv4Unspecified())}},
		{codec.TypeIPv6, []codec.Value{codec.Addr(v6), codec.Addr(mapped), codec.Addr(netip.IPv6Unspecified())}},
		{codec.TypeString, strs}, {codec.TypeBinary, bins},
		{codec.TypeNull, []codec.Value{{}}},
	}
}
