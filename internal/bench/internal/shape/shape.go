// Package shape holds the messages of the benchmarks, in the form in which all
// three programs need them: the payload of the NOTIFY that the generator
// sends, and that of the ACK that the floor answers with unseen and that the
// agent's handlers must arrive at.
package shape

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Shape is one message and its answer.
type Shape struct {
	Name   string
	Notify []byte // a NOTIFY's payload: one message
	Ack    []byte // an ACK's payload: its actions
}

// Score is the number that a right answer sets. Handlers take it from the
// address that they were sent, so that an agent that did not decode it is found
// out.
const Score = 42

var src = netip.AddrFrom4([4]byte{192, 0, 2, Score})

var shapes = []Shape{ip(), request(), echo()}

// Names are the names that Named knows.
func Names() string {
	names := make([]string, len(shapes))
	for i, s := range shapes {
		names[i] = s.Name
	}
	return strings.Join(names, ", ")
}

// Named returns the shape of that name.
func Named(name string) (Shape, error) {
	i := slices.IndexFunc(shapes, func(s Shape) bool { return s.Name == name })
	if i < 0 {
		return Shape{}, fmt.Errorf("no shape is called %q; there are %s", name, Names())
	}
	return shapes[i], nil
}

// ip is one IPv4 argument, answered by one set-var.
func ip() Shape {
	b := codec.AppendMessage(nil, "ip-rep", 1)
	return Shape{
		Name:   "ip",
		Notify: codec.AppendArg(b, "ip", codec.Addr(src)),
		Ack:    codec.AppendSetVar(nil, codec.ScopeSession, "ip_score", codec.Int64(Score)),
	}
}

// request is nine arguments, five of them strings, answered by two set-var.
// HAProxy sends integers as INT64.
func request() Shape {
	b := codec.AppendMessage(nil, "check-request", 9)
	b = codec.AppendArg(b, "method", codec.String("GET"))
	b = codec.AppendArg(b, "path", codec.String("/api/v2/orders/8421/items"))
	b = codec.AppendArg(b, "host", codec.String("shop.example.com"))
	b = codec.AppendArg(b, "ua", codec.String("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
	b = codec.AppendArg(b, "traceparent", codec.String("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"))
	b = codec.AppendArg(b, "src", codec.Addr(src))
	b = codec.AppendArg(b, "port", codec.Int64(51234))
	b = codec.AppendArg(b, "length", codec.Int64(1742))
	b = codec.AppendArg(b, "ssl", codec.Bool(true))
	ack := codec.AppendSetVar(nil, codec.ScopeTransaction, "score", codec.Int64(Score))
	return Shape{
		Name:   "request",
		Notify: b,
		Ack:    codec.AppendSetVar(ack, codec.ScopeTransaction, "action", codec.String("allow")),
	}
}

// echo weighs about the same in both directions, for slow clients.
func echo() Shape {
	data := codec.String(strings.Repeat("0123456789abcdef", 13))
	b := codec.AppendMessage(nil, "echo", 1)
	return Shape{
		Name:   "echo",
		Notify: codec.AppendArg(b, "data", data),
		Ack:    codec.AppendSetVar(nil, codec.ScopeTransaction, "echo", data),
	}
}
