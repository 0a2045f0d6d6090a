package codec

import (
	"iter"
)

// Args are the arguments of one message: a KV-LIST of a known count (§3.2), read in
// place. Args is a small value; copies are independent.
type Args struct {
	raw []byte
	n   int
}

// NewArgs returns the n arguments that raw begins with. They are checked as
// they are read.
func NewArgs(raw []byte, n int) Args { return Args{raw: raw, n: n} }

// Len returns how many arguments the message has, 0 to 255.
func (a Args) Len() int { return a.n }

// Raw returns the bytes of the KV-LIST, borrowed.
func (a Args) Raw() []byte { return a.raw }

// All returns the arguments in the order sent. An argument without a name has the name
// "". Names are copied; use Scan if that costs too much. The sequence ends early at
// malformed bytes; Err returns the reason.
func (a Args) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for name, v := range a.Scan() {
			if !yield(string(name), v) {
				return
			}
		}
	}
}

// Scan is All with names borrowed from the frame.
func (a Args) Scan() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		c := cursor{b: a.raw}
		for range a.n {
			name, v := c.str("argument name"), c.value("argument value")
			if c.failed() || !yield(name, v) {
				return
			}
		}
	}
}

// Err reads all arguments and returns the first mistake in them, or nil. An agent
// checks the arguments before it calls a handler.
func (a Args) Err() error {
	c := cursor{b: a.raw}
	c.skipArgs(a.n)
	return c.error()
}

// Lookup returns the first argument of that name, and whether there is one.
func (a Args) Lookup(name string) (Value, bool) {
	c := cursor{b: a.raw}
	for range a.n {
		if string(c.str("argument name")) == name && !c.failed() {
			v := c.value("argument value")
			return v, !c.failed()
		}
		c.skip("argument value")
	}
	return Value{}, false
}

// At returns the argument at position i, counted from 0, and whether there is
// one.
func (a Args) At(i int) (name string, v Value, ok bool) {
	if i < 0 || i >= a.n {
		return "", Value{}, false
	}
	c := cursor{b: a.raw}
	c.skipArgs(i)
	n := c.str("argument name")
	v = c.value("argument value")
	if c.failed() {
		return "", Value{}, false
	}
	return string(n), v, true
}

// Next returns the first argument and the others, for loops that stop and continue. ok
// is false at the end and at malformed bytes.
func (a Args) Next() (name []byte, v Value, rest Args, ok bool) {
	if a.n <= 0 {
		return nil, Value{}, Args{}, false
	}
	c := cursor{b: a.raw}
	name, v = c.str("argument name"), c.value("argument value")
	if c.failed() {
		return nil, Value{}, Args{}, false
	}
	return name, v, Args{raw: c.rest(), n: a.n - 1}, true
}

func (c *cursor) skipArgs(n int) {
	for range n {
		c.str("argument name")
		c.skip("argument value")
		if c.failed() {
			return
		}
	}
}

// AppendArg appends one argument: its name, which may be empty, and its value.
func AppendArg(b []byte, name string, v Value) []byte {
	return AppendValue(AppendString(b, name), v)
}
