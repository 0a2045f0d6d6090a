package router

import (
	"reflect"
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// output sets the variables of an Out.
type output[Out any] struct {
	enc     *codec.Encoder
	pointer bool
	places  sync.Pool // of *Out
}

func (o *output[Out]) init(call string) {
	t := reflect.TypeFor[Out]()
	st, enc, wrong := encoderOf(t)
	if wrong != "" {
		refuse(call, "%s", wrong)
	}
	o.enc, o.pointer = enc, t != st
	o.places.New = func() any { return new(Out) }
}

func (o *output[Out]) set(acts *spoe.Actions, out Out) error {
	if o.pointer {
		// A nil pointer has no actions.
		return acts.SetResult(o.enc, out)
	}
	p := o.places.Get().(*Out)
	*p = out
	err := acts.SetResult(o.enc, p)
	var zero Out
	*p = zero
	o.places.Put(p)
	return err
}
