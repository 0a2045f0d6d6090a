package spoetest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Argument is one argument of a message. HAProxy sends an empty Name for `args src`,
// where `args ip=src` has the name ip.
type Argument struct {
	Name string
	// Value is anything codec.ValueOf takes: nil, bool, an integer or float,
	// string, []byte, netip.Addr, net.IP or codec.Value. HAProxy sends all its
	// integers as INT64, as an int is sent here. An http.Header is sent as HAProxy
	// sends req.hdrs_bin; HeadersText is the other form.
	Value any
}

// Arg returns an Argument.
func Arg(name string, value any) Argument { return Argument{Name: name, Value: value} }

// HeadersBin returns h as HAProxy's sample req.hdrs_bin has it: a BINARY. Names are
// in lower case, as HAProxy has them.
func HeadersBin(h http.Header) codec.Value {
	lower := make(http.Header, len(h))
	for name, values := range h {
		lower[strings.ToLower(name)] = values
	}
	return codec.Binary(codec.AppendHeadersBin(nil, lower))
}

// HeadersText returns h as HAProxy's sample req.hdrs has it: a STRING with a line for
// each header, ended by an empty line. Names are in lower case, as HAProxy has them,
// and sorted.
func HeadersText(h http.Header) codec.Value {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			b.WriteString(strings.ToLower(name) + ": " + value + "\r\n")
		}
	}
	return codec.String(b.String() + "\r\n")
}

// Message is one message of a NOTIFY.
type Message struct {
	Name string
	Args []Argument
}

// Msg returns a Message.
func Msg(name string, args ...Argument) Message { return Message{Name: name, Args: args} }

// Payload returns the payload of a NOTIFY with these messages. It fails for a
// value that SPOP has no type for and for more than 255 arguments.
func Payload(msgs ...Message) ([]byte, error) {
	var b []byte
	for _, m := range msgs {
		if len(m.Args) > codec.MaxArgs {
			return nil, fmt.Errorf("spoetest: message %q has %d arguments; the most is %d", m.Name, len(m.Args), codec.MaxArgs)
		}
		b = codec.AppendMessage(b, m.Name, len(m.Args))
		for i, a := range m.Args {
			if h, ok := a.Value.(http.Header); ok {
				a.Value = HeadersBin(h)
			}
			v, err := codec.ValueOf(a.Value)
			if err != nil {
				return nil, fmt.Errorf("spoetest: message %q, argument %d (%q): %w", m.Name, i, a.Name, err)
			}
			b = codec.AppendArg(b, a.Name, v)
		}
	}
	return b, nil
}
