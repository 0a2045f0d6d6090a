package spoe

import (
	"iter"

	"github.com/spoke-go/spoke/codec"
)

// Value is one typed value; see [codec.Value].
type Value = codec.Value

// Arg is one argument as [Args.Next] and [Args.Map] give it.
type Arg struct {
	Name string
	// Value is nil, a bool, an int (INT32, INT64), a uint (UINT32, UINT64), a
	// net.IP, a string or a []byte; the handler may keep it.
	Value any
}

// Args are the arguments of a message. The agent checks them before the
// handler is called, so reading them does not fail.
//
// All, Lookup and Raw see all arguments, always. Next, Map and Count are the
// predecessor's: they consume. Not for concurrent use.
type Args struct {
	// Arg is the argument that Next read.
	Arg Arg

	all  codec.Args
	left codec.Args
}

// ArgIterator is the predecessor's name of [Args].
type ArgIterator = Args

func newArgs(a codec.Args) Args { return Args{all: a, left: a} }

// Next reads the next argument into Arg; it returns false after the last.
func (a *Args) Next() bool {
	name, v, rest, ok := a.left.Next()
	if !ok {
		return false
	}
	a.left = rest
	a.Arg = Arg{Name: string(name), Value: v.Any()}
	return true
}

// Map reads the arguments that Next has not read into a map.
func (a *Args) Map() map[string]any {
	m := make(map[string]any, a.left.Len())
	for a.Next() {
		m[a.Arg.Name] = a.Arg.Value
	}
	return m
}

// Count returns how many arguments Next has not read: before the first Next,
// all of them.
func (a *Args) Count() int { return a.left.Len() }

// All returns all arguments in the order sent, with values borrowed from the
// frame: they are valid until the handler returns, and [codec.Value.Clone] keeps one.
func (a *Args) All() iter.Seq2[string, Value] { return a.all.All() }

// Lookup returns the first argument of that name, and whether there is one.
// The value is valid until the handler returns.
func (a *Args) Lookup(name string) (Value, bool) { return a.all.Lookup(name) }

// Len returns how many arguments the message has, 0 to 255.
func (a *Args) Len() int { return a.all.Len() }

// Raw returns the arguments as package codec reads them, for binding.
func (a *Args) Raw() codec.Args { return a.all }
