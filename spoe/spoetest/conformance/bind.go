package conformance

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// bound is an argument of MessageBind, and the variable made from it.
type bound struct {
	arg  string
	sent codec.Value
	want codec.Value // NULL: the message fails
}

// integers returns n as each type of integer that can hold it.
func integers(n int64) []codec.Value {
	vs := []codec.Value{codec.Int64(n)}
	if n >= math.MinInt32 && n <= math.MaxInt32 {
		vs = append(vs, codec.Int32(int32(n)))
	}
	if n >= 0 && n <= math.MaxUint32 {
		vs = append(vs, codec.Uint32(uint32(n)))
	}
	if n >= 0 {
		vs = append(vs, codec.Uint64(uint64(n)))
	}
	return vs
}

func boundIntegers() []bound {
	var all []bound
	add := func(arg string, want func(int64) codec.Value, ns ...int64) {
		for _, n := range ns {
			for _, v := range integers(n) {
				b := bound{arg: arg, sent: v}
				if want != nil {
					b.want = want(n)
				}
				all = append(all, b)
			}
		}
	}
	add("int8", func(n int64) codec.Value { return codec.Int32(int32(n)) }, 0, 5, 127, -1, -128)
	add("int8", nil, 128, -129, math.MaxInt64, math.MinInt64, 256)
	add("uint8", func(n int64) codec.Value { return codec.Uint32(uint32(n)) }, 0, 255)
	add("uint8", nil, 256, -1, math.MinInt64)
	add("int32", func(n int64) codec.Value { return codec.Int32(int32(n)) }, math.MinInt32, math.MaxInt32)
	add("int32", nil, math.MaxInt32+1, math.MinInt32-1)
	add("int64", codec.Int64, 0, math.MinInt64, math.MaxInt64)
	add("uint64", func(n int64) codec.Value { return codec.Uint64(uint64(n)) }, 0, math.MaxInt64)
	add("uint64", nil, -1)
	return append(all,
		bound{"int8", codec.Uint64(math.MaxUint64), codec.Null()},
		bound{"int64", codec.Uint64(math.MaxUint64), codec.Null()},
		bound{"uint64", codec.Uint64(math.MaxUint64), codec.Uint64(math.MaxUint64)},
		bound{"int64", codec.String("5"), codec.Null()},
		bound{"int64", codec.Bool(true), codec.Null()},
	)
}

func bindCases() []Case {
	v4, v6 := codec.Addr(netip.MustParseAddr("192.0.2.1")), codec.Addr(netip.MustParseAddr("2001:db8::1"))
	mapped := codec.Addr(netip.MustParseAddr("::ffff:192.0.2.1"))
	header := http.Header{"Accept": {"a", "b"}, "Host": {"x.example"}, "X-Empty": {""}}
	hdrsBin := codec.Binary(codec.AppendHeadersBin(nil, header))
	hdrs := codec.String("accept: a\r\nhost: x.example\r\naccept: b\r\nx-empty: \r\n\r\n")
	str, bin := codec.String("text"), codec.Binary([]byte("text"))
	groups := []struct {
		name  string
		bound []bound
	}{
		{"integers", boundIntegers()},
		{"bool", []bound{{"bool", codec.Bool(true), codec.Bool(true)}, {"bool", codec.Bool(false), codec.Bool(false)}, {"bool", codec.Addr(netip.IPv6Loopback()), codec.Null()}}},
		{"float", []bound{
			{"float", codec.String("2.5"), codec.String("2.5")}, {"float", codec.String("-0.001"), codec.String("-0.001")},
			{"float", codec.Int64(3), codec.String("3")}, {"float", codec.String("1e300"), codec.Float(1e300)},
			{"float", codec.String("much"), codec.Null()}, {"float", codec.String("NaN"), codec.Null()}, {"float", codec.String(""), codec.Null()},
		}},
		{"string", []bound{{"string", str, str}, {"string", bin, str}, {"string", codec.String(""), codec.String("")}, {"string", codec.Int64(1), codec.Null()}}},
		{"bytes", []bound{{"bytes", str, bin}, {"bytes", bin, bin}, {"bytes", codec.Binary(nil), codec.Binary(nil)}, {"bytes", v4, codec.Null()}}},
		{"ip", []bound{{"ip", v4, v4}, {"ip", v6, v6}, {"ip", codec.String("192.0.2.1"), v4}, {"ip", codec.Int64(1), codec.Null()}, {"ip", codec.String("here"), codec.Null()}}},
		{"addr", []bound{{"addr", v4, v4}, {"addr", v6, v6}, {"addr", mapped, mapped}, {"addr", codec.String("2001:db8::1"), v6}, {"addr", codec.String("here"), codec.Null()}}},
		{"duration", []bound{{"duration", codec.String("1m30s"), codec.Int64(90000)}, {"duration", codec.Int64(250), codec.Int64(250)}, {"duration", codec.String("soon"), codec.Null()}}},
		{"headers", []bound{{"headers", hdrsBin, hdrsBin}, {"headers", hdrs, hdrsBin}, {"headers", codec.String("no colon"), codec.Null()}, {"headers", codec.Binary([]byte{200, 1}), codec.Null()}}},
		{"query", []bound{{"query", codec.String("a=1&b=2"), codec.String("a=1&b=2")}, {"query", codec.Int64(1), codec.Null()}}},
		{"text-unmarshaler", []bound{{"level", codec.String("warn"), codec.String("WARN")}, {"level", codec.Binary([]byte("INFO+2")), codec.String("INFO+2")}, {"level", codec.String("loud"), codec.Null()}}},
		{"json", []bound{
			{"body", codec.String(`{"user": "u", "tags": [1, 2]}`), codec.String(`{"user":"u","tags":[1,2]}`)},
			{"body", codec.Binary([]byte(`{"user":"v"}`)), codec.String(`{"user":"v"}`)}, {"body", codec.String(`{`), codec.Null()},
		}},
		{"nested", []bound{{"client.port", codec.Int64(443), codec.Uint32(443)}, {"client.port", codec.Int64(65536), codec.Null()}}},
		{"embedded", []bound{{"id", str, str}}},
		{"position", []bound{{"", str, str}, {"", codec.Int64(1), codec.Null()}}},
	}
	var cases []Case
	for _, g := range groups {
		cases = append(cases, Case{"bind/" + g.name, rowBinding, "§3.1", opened(func(s *script) {
			for _, b := range g.bound {
				s.binds(b)
			}
		})})
	}
	return append(cases,
		Case{"bind/missing-and-unknown", rowBinding, "§3.2", opened(func(s *script) {
			s.nothing(s.ask(spoetest.Msg(MessageBind)))
			s.nothing(s.ask(spoetest.Msg(MessageBind, spoetest.Arg("stranger", "x"), spoetest.Arg("int8 ", 1))))
			s.nothing(s.ask(spoetest.Msg(MessageBind, spoetest.Arg("int8", nil), spoetest.Arg("addr", nil), spoetest.Arg("body", nil), spoetest.Arg("client.port", nil))))
		})},
		Case{"bind/any-order", rowBinding, "§3.2", opened(func(s *script) {
			args := []spoetest.Argument{spoetest.Arg("string", "s"), spoetest.Arg("int8", 1), spoetest.Arg("client.port", 2), spoetest.Arg("id", "i")}
			for range args {
				args = append(args[1:], args[0])
				s.want(s.ask(spoetest.Msg(MessageBind, args...)), "txn.int8=1 txn.string=s txn.client.port=2 txn.id=i")
			}
		})},
		Case{"bind/null", rowBinding, "§3.1", opened(func(s *script) {
			for _, c := range []struct {
				args []spoetest.Argument
				want string
			}{
				{[]spoetest.Argument{spoetest.Arg("zero", nil), spoetest.Arg("pointer", nil), spoetest.Arg("must", "x")}, "txn.zero=0 txn.nil=true"},
				{[]spoetest.Argument{spoetest.Arg("must", "x")}, "txn.zero=0 txn.nil=true"},
				{[]spoetest.Argument{spoetest.Arg("zero", 1), spoetest.Arg("pointer", 0), spoetest.Arg("must", "")}, "txn.zero=1 txn.nil=false"},
			} {
				s.want(s.ask(spoetest.Msg(MessageNull, c.args...)), c.want)
			}
			s.nothing(s.ask(spoetest.Msg(MessageNull, spoetest.Arg("zero", 1), spoetest.Arg("must", nil))))
			s.nothing(s.ask(spoetest.Msg(MessageNull, spoetest.Arg("zero", 1))))
		})},
	)
}

// binds sends an argument to MessageBind.
func (s *script) binds(b bound) {
	s.at = fmt.Sprintf("argument %q as %v %.40v", b.arg, b.sent.Type(), b.sent)
	v := s.ask(spoetest.Msg(MessageBind, spoetest.Arg(b.arg, b.sent)))
	if b.want.IsNull() {
		s.nothing(v)
		return
	}
	if b.arg == "" {
		b.arg = "first"
	}
	s.same(v, []spoetest.Argument{spoetest.Arg(b.arg, b.want)})
}
