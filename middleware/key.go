package middleware

import (
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// A Key tells which messages ask the same: it appends to b what tells this
// one's question from others, and returns it; two messages of one name with the
// same bytes get the same answer. nil means that the message shares its answer
// with no other. A Key must be safe for concurrent use.
type Key func(b []byte, msg *spoe.Message) []byte

// KeyArgs is the [Key] of the arguments of these names, with types and values;
// without names, of all arguments as they came. Leave out what differs from
// request to request and does not change the answer, such as a traceparent.
func KeyArgs(names ...string) Key {
	if len(names) == 0 {
		return func(b []byte, msg *spoe.Message) []byte {
			return append(b, msg.Args.Raw().Raw()...)
		}
	}
	return func(b []byte, msg *spoe.Message) []byte {
		for _, name := range names {
			if v, ok := msg.Args.Lookup(name); ok {
				b = codec.AppendArg(b, name, v)
			}
		}
		return b
	}
}

// keyBuffer holds the key of a message while it is looked for.
type keyBuffer struct{ key, b []byte }

var keyBuffers = sync.Pool{New: func() any { return new(keyBuffer) }}

// maxKeyBuffer is the largest buffer, in bytes, that is used again.
const maxKeyBuffer = 4 << 10

// keyOf returns a buffer with the message's key, nil if it has none.
func keyOf(key Key, msg *spoe.Message) *keyBuffer {
	buf := keyBuffers.Get().(*keyBuffer)
	buf.b = codec.AppendString(buf.b[:0], msg.Name)
	if buf.key = key(buf.b, msg); buf.key != nil {
		buf.b = buf.key
	}
	return buf
}

func (buf *keyBuffer) put() {
	if cap(buf.b) <= maxKeyBuffer {
		keyBuffers.Put(buf)
	}
}
