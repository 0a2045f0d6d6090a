package middleware

import "github.com/spoke-go/spoke/spoe"

// argCarrier lets a propagator read a message's arguments. It has the size of a
// pointer, so that passing it allocates nothing.
type argCarrier struct{ args *spoe.Args }

// Get returns the argument of that name.
func (c argCarrier) Get(key string) string {
	v, ok := c.args.Lookup(key)
	if !ok {
		return ""
	}
	return v.Str()
}

// Set does nothing: a propagator only reads arguments.
func (argCarrier) Set(string, string) {}

// Keys returns the names of the arguments.
func (c argCarrier) Keys() []string {
	keys := make([]string, 0, c.args.Len())
	for name := range c.args.All() {
		keys = append(keys, name)
	}
	return keys
}

// renamedCarrier is an argCarrier with W3C's traceparent in another argument.
type renamedCarrier struct {
	argCarrier
	parent string
}

// Get returns the argument of that name, or of the other one.
func (c *renamedCarrier) Get(key string) string {
	if key == "traceparent" {
		key = c.parent
	}
	return c.argCarrier.Get(key)
}
