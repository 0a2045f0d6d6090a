package spoetest

import (
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// Argument is one argument of a message. An empty Name is what HAProxy sends
// for `args src` rather than `args ip=src`.
type Argument struct {
	Name string
	// Value is anything codec.ValueOf takes: nil, bool, an integer or float,
	// string, []byte, netip.Addr, net.IP or codec.Value. HAProxy sends all its
	// integers as INT64, as an int is sent here.
	Value any
}

// Arg returns an Argument.
func Arg(name string, value any) Argument { return Argument{Name: name, Value: value} }

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
			v, err := codec.ValueOf(a.Value)
			if err != nil {
				return nil, fmt.Errorf("spoetest: message %q, argument %d (%q): %w", m.Name, i, a.Name, err)
			}
			b = codec.AppendArg(b, a.Name, v)
		}
	}
	return b, nil
}
