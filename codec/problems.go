package codec

import (
	"errors"
	"reflect"
)

// Problems lists the arguments of one message that their fields could not read. A
// struct has them in a field of this type, without a tag:
//
//	type Request struct {
//		Headers  http.Header `spoe:"headers" fetch:"req.hdrs_bin"`
//		Problems codec.Problems
//	}
//
// It is nil if all arguments were read, and then costs nothing. It also lists an
// argument of which the field got only a part, and an argument that strict parsing
// would refuse, such as a header with a NUL.
type Problems []*BindError

var problemsType = reflect.TypeFor[Problems]()

// Of returns the problem with the argument of that name, or nil.
func (p Problems) Of(arg string) *BindError {
	for _, e := range p {
		if e.Arg == arg {
			return e
		}
	}
	return nil
}

// Err returns the problems as one error, or nil.
func (p Problems) Err() error {
	errs := make([]error, len(p))
	for i, e := range p {
		errs[i] = e
	}
	return errors.Join(errs...)
}
