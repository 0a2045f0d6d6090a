package codec

import "fmt"

// Message is one message of a NOTIFY's LIST-OF-MESSAGES (§3.2), borrowed from
// the frame.
type Message struct {
	Name []byte
	Args Args
}

// Messages reads the messages of a NOTIFY's payload one by one.
type Messages struct {
	c   cursor
	msg Message
}

// NewMessages returns the messages of payload.
func NewMessages(payload []byte) Messages { return Messages{c: cursor{b: payload}} }

// Next reads the next message; it returns false at the end and at malformed bytes; Err
// distinguishes the two.
func (m *Messages) Next() bool {
	if m.c.failed() || !m.c.more() {
		return false
	}
	name := m.c.str("message name")
	n := int(m.c.byte("number of arguments"))
	start := m.c.off
	m.c.skipArgs(n)
	if m.c.failed() {
		return false
	}
	m.msg = Message{Name: name, Args: Args{raw: m.c.since(start), n: n}}
	return true
}

// Message returns the message that Next read.
func (m *Messages) Message() Message { return m.msg }

// Err returns the mistake that stopped Next, or nil at the end of the payload.
func (m *Messages) Err() error { return m.c.error() }

// CheckMessages reads a NOTIFY's payload to its end and returns how many
// messages it holds, or the mistake in it.
func CheckMessages(payload []byte) (int, error) {
	m := NewMessages(payload)
	n := 0
	for m.Next() {
		n++
	}
	return n, m.Err()
}

// MaxArgs is the maximum number of arguments in a message: the number is one byte on
// the wire.
const MaxArgs = 255

// AppendMessage appends a message's name and its number of arguments. The caller then
// appends the arguments with AppendArg. It panics if nargs is not 0 to MaxArgs.
func AppendMessage(b []byte, name string, nargs int) []byte {
	if nargs < 0 || nargs > MaxArgs {
		panic(fmt.Sprintf("codec: message %q with %d arguments; a message has 0 to %d", name, nargs, MaxArgs))
	}
	return append(AppendString(b, name), byte(nargs))
}
