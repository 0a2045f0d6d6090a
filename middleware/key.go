package middleware

import (
	"slices"
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// A Key decides which messages may share an answer. Messages with different names never
// share one. Make one with [KeyArgs] or [KeyFunc].
type Key struct {
	args []string // that it is known to read
	of   func(b []byte, msg *spoe.Message) []byte
}

// KeyArgs returns a [Key] made of the arguments of these names, with types and values;
// without names, of all arguments in the order sent. A message that has none of the
// named arguments does not share its answer. Package router refuses a name that no
// field of a handler's struct has.
//
// Leave out arguments that differ from request to request and do not change the
// answer, such as a traceparent.
func KeyArgs(names ...string) Key {
	if len(names) == 0 {
		return Key{of: func(b []byte, msg *spoe.Message) []byte {
			return append(b, msg.Args.Raw().Raw()...)
		}}
	}
	if slices.Contains(names, "") {
		panic("middleware: KeyArgs: a name is empty: write the name of an argument")
	}
	names = slices.Clone(names)
	return Key{args: names, of: func(b []byte, msg *spoe.Message) []byte {
		var found bool
		for _, name := range names {
			if v, ok := msg.Args.Lookup(name); ok {
				b = codec.AppendArg(b, name, v)
				found = true
			}
		}
		if !found {
			return nil
		}
		return b
	}}
}

// KeyFunc returns a [Key] made by f. f appends the key of a message to b and returns
// the result; if it returns nil, the message does not share its answer. f must be safe
// for concurrent use and must not keep b.
func KeyFunc(f func(b []byte, msg *spoe.Message) []byte) Key {
	if f == nil {
		panic("middleware: KeyFunc: the function is nil: pass one, or use KeyArgs")
	}
	return Key{of: f}
}

// mustBeSet panics if the key is the zero Key.
func (k Key) mustBeSet(call string) {
	if k.of == nil {
		panic("middleware: " + call + ": the key is empty: make it with KeyArgs or KeyFunc")
	}
}

// keyed is a handler that reads the arguments of a key: a [spoe.ArgReader].
type keyed struct {
	spoe.HandlerFunc
	key Key
}

// ReadsArgs returns the names of the arguments.
func (k *keyed) ReadsArgs() []string { return k.key.args }

// keyBuffer holds the key of a message during a look-up.
type keyBuffer struct{ key, b []byte }

var keyBuffers = sync.Pool{New: func() any { return &keyBuffer{b: make([]byte, 0, 256)} }}

// maxKeyBuffer is the size, in bytes, of the largest buffer that goes back to the pool.
const maxKeyBuffer = 4 << 10

// buffer returns a buffer with the message's name, followed by its key. The buffer's
// key is nil if the message has no key.
func (k Key) buffer(msg *spoe.Message) *keyBuffer {
	buf := keyBuffers.Get().(*keyBuffer)
	buf.b, buf.key = codec.AppendString(buf.b[:0], msg.Name), nil
	if key := k.of(buf.b[len(buf.b):], msg); key != nil {
		// The key may be in a larger buffer, or in other bytes such as a value's own: the
		// pool must never write into those.
		buf.b = append(buf.b, key...)
		buf.key = buf.b
	}
	return buf
}

func (buf *keyBuffer) put() {
	if cap(buf.b) <= maxKeyBuffer {
		keyBuffers.Put(buf)
	}
}
