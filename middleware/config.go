package middleware

import "fmt"

// only returns the configuration that a middleware got, or the zero one. call is the
// name of the middleware's function. It panics on more than one configuration.
func only[C any](call string, cfgs []C) C {
	var zero C
	switch len(cfgs) {
	case 0:
		return zero
	case 1:
		return cfgs[0]
	}
	panic(fmt.Sprintf("middleware: %s was called with %d configurations: write one %T with all the fields", call, len(cfgs), zero))
}
