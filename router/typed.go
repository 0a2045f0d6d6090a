package router

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Func makes a handler of a function from arguments to variables. In and Out
// are structs or pointers to structs; a nil Out sets nothing. It panics if one
// of their fields cannot be bound.
func Func[In, Out any](fn func(context.Context, In) (Out, error)) spoe.Handler {
	if fn == nil {
		panic(fmt.Sprintf("router: Func(nil) at %s: pass a function", callSite()))
	}
	h := &typedResult[In, Out]{fn: fn}
	h.in.init("Func")
	h.out.init("Func")
	return h
}

// Sink makes a handler of a function that takes arguments and sets nothing.
func Sink[In any](fn func(context.Context, In) error) spoe.Handler {
	if fn == nil {
		panic(fmt.Sprintf("router: Sink(nil) at %s: pass a function", callSite()))
	}
	h := &typedActions[In]{fn: func(ctx context.Context, in In, _ *spoe.Actions) error { return fn(ctx, in) }}
	h.in.init("Sink")
	return h
}

// Acts makes a handler of a function that takes arguments and sets variables by
// hand.
func Acts[In any](fn func(context.Context, In, *spoe.Actions) error) spoe.Handler {
	if fn == nil {
		panic(fmt.Sprintf("router: Acts(nil) at %s: pass a function", callSite()))
	}
	h := &typedActions[In]{fn: fn}
	h.in.init("Acts")
	return h
}

type typedResult[In, Out any] struct {
	fn  func(context.Context, In) (Out, error)
	in  input[In]
	out output[Out]
}

func (h *typedResult[In, Out]) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	in, err := h.in.bind(msg)
	if err != nil {
		return err
	}
	out, err := h.fn(ctx, in)
	if err != nil {
		return err
	}
	return h.out.set(acts, out)
}

func (h *typedResult[In, Out]) describe() ([]codec.FieldInfo, []codec.VarInfo) {
	return h.in.dec.Fields(), h.out.enc.Fields()
}

type typedActions[In any] struct {
	fn func(context.Context, In, *spoe.Actions) error
	in input[In]
}

func (h *typedActions[In]) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	in, err := h.in.bind(msg)
	if err != nil {
		return err
	}
	return h.fn(ctx, in, acts)
}

func (h *typedActions[In]) describe() ([]codec.FieldInfo, []codec.VarInfo) {
	return h.in.dec.Fields(), nil
}

// input binds a message's arguments to an In. A struct is bound in a pooled
// place and passed by value, so that binding allocates for its strings alone; a
// pointer is the handler's to keep, and so is allocated.
type input[In any] struct {
	dec     *codec.Decoder
	pointer reflect.Type // In's struct if In is a pointer, else nil
	places  sync.Pool
}

func (i *input[In]) init(what string) {
	t, pointer, err := structOf(reflect.TypeFor[In]())
	if err == nil {
		i.dec, err = codec.DecoderOf(t)
	}
	if err != nil {
		panic(fmt.Sprintf("router: %s at %s: input %v", what, callSite(), err))
	}
	if pointer {
		i.pointer = t
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
	places  sync.Pool
}

func (o *output[Out]) init(what string) {
	t, pointer, err := structOf(reflect.TypeFor[Out]())
	if err == nil {
		o.enc, err = codec.EncoderOf(t)
	}
	if err != nil {
		panic(fmt.Sprintf("router: %s at %s: result %v", what, callSite(), err))
	}
	o.pointer = pointer
	o.places.New = func() any { return new(Out) }
}

func (o *output[Out]) set(acts *spoe.Actions, out Out) error {
	if o.pointer {
		if reflect.ValueOf(out).IsNil() {
			return nil
		}
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

// structOf returns the struct that t is or points to.
func structOf(t reflect.Type) (st reflect.Type, pointer bool, err error) {
	st = t
	if t.Kind() == reflect.Pointer {
		st, pointer = t.Elem(), true
	}
	if st.Kind() != reflect.Struct {
		return nil, false, fmt.Errorf("%v is neither a struct nor a pointer to one", t)
	}
	return st, pointer, nil
}
