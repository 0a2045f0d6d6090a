package router

import (
	"reflect"
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// input binds a message's arguments to an In. A struct is bound in a pooled
// place and passed by value, so that binding allocates for its strings alone; a
// pointer is the handler's to keep, and so is allocated.
type input[In any] struct {
	dec     *codec.Decoder
	pointer reflect.Type // In's struct if In is a pointer, else nil
	places  sync.Pool    // of *In
}

func (i *input[In]) init(call string) {
	t := reflect.TypeFor[In]()
	st, dec, wrong := decoderOf(t)
	if wrong != "" {
		refuse(call, "%s", wrong)
	}
	i.dec = dec
	if t != st {
		i.pointer = st
	}
	i.places.New = func() any { return new(In) }
}

func (i *input[In]) bind(msg *spoe.Message) (in In, err error) {
	if i.pointer != nil {
		p := reflect.New(i.pointer).Interface()
		if err := i.dec.Decode(msg.Name, msg.Args.Raw(), p); err != nil {
			return in, err
		}
		return p.(In), nil
	}
	p := i.places.Get().(*In)
	err = i.dec.Decode(msg.Name, msg.Args.Raw(), p)
	in = *p
	var zero In
	*p = zero // keeps nothing alive
	i.places.Put(p)
	return in, err
}

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
