package conformance

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func valueCases() []Case {
	long := strings.Repeat("0123456789", 1000)
	groups := []struct {
		name   string
		values []codec.Value
	}{
		{"null", []codec.Value{codec.Null()}},
		{"bool", []codec.Value{codec.Bool(false), codec.Bool(true)}},
		{"int32", []codec.Value{codec.Int32(0), codec.Int32(1), codec.Int32(239), codec.Int32(240), codec.Int32(-1), codec.Int32(math.MinInt32), codec.Int32(math.MaxInt32)}},
		{"uint32", []codec.Value{codec.Uint32(0), codec.Uint32(2287), codec.Uint32(2288), codec.Uint32(math.MaxUint32)}},
		{"int64", []codec.Value{codec.Int64(0), codec.Int64(264431), codec.Int64(264432), codec.Int64(-1), codec.Int64(math.MinInt64), codec.Int64(math.MaxInt64)}},
		{"uint64", []codec.Value{codec.Uint64(0), codec.Uint64(math.MaxInt64), codec.Uint64(1 << 63), codec.Uint64(math.MaxUint64)}},
		{"ipv4", addrs("0.0.0.0", "192.0.2.1", "255.255.255.255")},
		{"ipv6", addrs("::", "::1", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")},
		{"ipv6-mapped-stays-ipv6", addrs("::ffff:192.0.2.1", "::192.0.2.1")},
		{"string", []codec.Value{codec.String(""), codec.String("x"), codec.String("größe\x00\xff"), codec.String(long[:239]), codec.String(long[:240]), codec.String(long)}},
		{"binary", []codec.Value{codec.Binary(nil), codec.Binary([]byte{0}), codec.Binary([]byte("\x00\xff\xfe")), codec.Binary([]byte(long))}},
	}
	var cases []Case
	for _, g := range groups {
		cases = append(cases, Case{"value/" + g.name, rowValues, "§3.1", opened(func(s *script) {
			for _, v := range g.values {
				s.echoes(v)
			}
		})})
	}
	return append(cases,
		Case{"value/negative-takes-10-bytes", rowValues, "§3.1", opened(func(s *script) {
			for _, v := range []codec.Value{codec.Int32(-1), codec.Int32(math.MinInt32), codec.Int64(-1), codec.Int64(math.MinInt64)} {
				id := at(1, 1)
				s.at = fmt.Sprintf("%v %v", v.Type(), v)
				s.notify(id, spoetest.Msg(MessageEcho, spoetest.Arg("v", v)))
				a, err := s.c.Ack(s.ctx, id)
				n, _ := v.Int()
				want := append([]byte{1, 3, 2, 1, 'v', byte(v.Type())}, codec.AppendVarint(nil, uint64(n))...)
				s.check(err)
				if !bytes.Equal(a.Payload, want) {
					s.failf("the ACK's payload is %x, want %x", a.Payload, want)
				}
			}
		})},
		Case{"value/bool-flags", rowValues, "§3.1", opened(func(s *script) {
			// Only the first of the flags counts.
			s.needs(spoetest.Msg(MessageEcho))
			for b, want := range map[byte]bool{0x01: false, 0x11: true, 0xe1: false, 0xf1: true} {
				s.at = fmt.Sprintf("type and flags %#x", b)
				s.send(spoetest.NotifyFrame(at(1, 1), append(codec.AppendMessage(nil, MessageEcho, 1), 1, 'v', b)))
				if v := s.ack(at(1, 1)); !v.Has("txn.v") || v.Bool("txn.v") != want {
					s.failf("got %q, want %v", v, want)
				}
			}
		})},
		Case{"value/all-in-one-message", rowValues, "§3.2", scripted(func(s *script) {
			s.open(func(h *spoetest.Hello) { h.MaxFrameSize = 1 << 20 })
			var args []spoetest.Argument
			for _, g := range groups {
				for _, v := range g.values {
					args = append(args, spoetest.Arg(fmt.Sprintf("v%d", len(args)), v))
				}
			}
			s.same(s.ask(spoetest.Msg(MessageEcho, args...)), args)
		})},
		Case{"value/255-arguments", rowValues, "§3.2", opened(func(s *script) {
			args := make([]spoetest.Argument, codec.MaxArgs)
			for i := range args {
				args[i] = spoetest.Arg(fmt.Sprintf("v%d", i), codec.Int64(int64(i)-100))
			}
			s.same(s.ask(spoetest.Msg(MessageEcho, args...)), args)
		})},
		Case{"value/arguments-without-a-name", rowValues, "§3.2", opened(func(s *script) {
			s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("", 1), spoetest.Arg("b", 2), spoetest.Arg("", 3))), "txn.arg0=1 txn.b=2 txn.arg2=3")
		})},
		Case{"value/overwritten-by-nobody", rowValues, "§3.2.1", opened(func(s *script) {
			// A request must not get another's values.
			var frames []codec.Frame
			for i := range uint64(50) {
				frames = append(frames, spoetest.NotifyFrame(at(i, 1), s.payload(spoetest.Msg(MessageEcho, spoetest.Arg("v", strings.Repeat(fmt.Sprintf("%02d", i), 100))))))
			}
			for range 20 {
				s.send(frames...)
				for i := range uint64(50) {
					if v := s.ack(at(i, 1)); v.Str("txn.v") != strings.Repeat(fmt.Sprintf("%02d", i), 100) {
						s.failf("stream %d got %q", i, v.Str("txn.v"))
					}
				}
			}
		})},
	)
}

func addrs(texts ...string) []codec.Value {
	var vs []codec.Value
	for _, t := range texts {
		vs = append(vs, codec.Addr(netip.MustParseAddr(t)))
	}
	return vs
}

// echoes checks that a value comes back as it was sent.
func (s *script) echoes(v codec.Value) {
	s.at = fmt.Sprintf("%v %.40v", v.Type(), v)
	args := []spoetest.Argument{spoetest.Arg("v", v)}
	s.same(s.ask(spoetest.Msg(MessageEcho, args...)), args)
}

// same checks that an ACK sets the arguments, in their order.
func (s *script) same(v spoetest.Vars, args []spoetest.Argument) {
	acts := v.Actions()
	if len(acts) != len(args) {
		s.failf("%d actions, want %d", len(acts), len(args))
	}
	for i, a := range acts {
		want, err := codec.ValueOf(args[i].Value)
		s.check(err)
		if a.Name != args[i].Name || a.Scope != codec.ScopeTransaction || a.Unset || !a.Value.Equal(want) {
			s.failf("action %d sets %v.%s to %v %.60v, want txn.%s as %v %.60v", i, a.Scope, a.Name, a.Value.Type(), a.Value, args[i].Name, want.Type(), want)
		}
	}
}
