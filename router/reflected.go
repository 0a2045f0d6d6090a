package router

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// reflected calls a function whose types only package reflect knows.
type reflected struct {
	fn        reflect.Value
	in        reflect.Type // the struct
	inPointer bool         // the function takes a pointer to it
	dec       *codec.Decoder

	out        reflect.Type   // the struct; nil: it returns an error alone
	outPointer bool           // its result is a pointer to that struct
	enc        *codec.Encoder // nil without out
	calls      sync.Pool      // of *call
}

// call is what one call of the function needs, kept from call to call: places
// for its arguments, and reflect's view of them.
type call struct {
	args []reflect.Value // of the function: ctx, in's struct or pointer, acts
	ctx  context.Context
	acts *spoe.Actions
	in   reflect.Value // *In of a function that takes a struct, else **In
	out  reflect.Value // *Out of a function that returns a struct
}

func newReflected(fn reflect.Value) (h spoe.Handler, wrong string) {
	t := fn.Type()
	if reflect.PointerTo(t).Implements(reflect.TypeFor[spoe.Handler]()) {
		return nil, fmt.Sprintf("the handler is a %v, of which only a pointer is a spoe.Handler: pass its address", t)
	}
	if t.Kind() != reflect.Func {
		return nil, fmt.Sprintf("the handler is a %v%s", t, forms)
	}
	if wrong := checkForm(t); wrong != "" {
		return nil, fmt.Sprintf("the handler is a %v: %s%s", t, wrong, forms)
	}
	r := &reflected{fn: fn, inPointer: t.In(1).Kind() == reflect.Pointer}
	if r.in, r.dec, wrong = decoderOf(t.In(1)); wrong != "" {
		return nil, wrong
	}
	if t.NumOut() == 2 {
		r.outPointer = t.Out(0).Kind() == reflect.Pointer
		if r.out, r.enc, wrong = encoderOf(t.Out(0)); wrong != "" {
			return nil, wrong
		}
	}
	r.calls.New = func() any { return r.newCall() }
	return r, ""
}

func (h *reflected) newCall() *call {
	t := h.fn.Type()
	c := &call{in: reflect.New(t.In(1))}
	c.args = []reflect.Value{reflect.ValueOf(&c.ctx).Elem(), c.in.Elem(), reflect.ValueOf(&c.acts).Elem()}[:t.NumIn()]
	if h.out != nil && !h.outPointer {
		c.out = reflect.New(h.out)
	}
	return c
}

// ServeSPOE allocates three times, in Value.Call: for the slice of results, and
// for each of the two results; where the function takes a pointer, for that too.
func (h *reflected) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	c := h.calls.Get().(*call)
	dst := c.in
	if h.inPointer {
		dst = reflect.New(h.in) // the handler's to keep
		c.in.Elem().Set(dst)
	}
	err := h.dec.Decode(msg.Name, msg.Args.Raw(), dst.Interface())
	if err == nil {
		c.ctx, c.acts = ctx, acts
		results := h.fn.Call(c.args)
		if failed := results[len(results)-1]; !failed.IsNil() {
			err = failed.Interface().(error)
		} else if h.enc != nil {
			err = h.set(c, results[0], acts)
		}
		c.ctx, c.acts = nil, nil
	}
	c.in.Elem().SetZero() // keeps nothing alive
	h.calls.Put(c)
	return err
}

// set sets the variables of the result.
func (h *reflected) set(c *call, out reflect.Value, acts *spoe.Actions) error {
	if !h.outPointer {
		c.out.Elem().Set(out)
		err := acts.SetResult(h.enc, c.out.Interface())
		c.out.Elem().SetZero()
		return err
	}
	// A nil pointer has no actions.
	return acts.SetResult(h.enc, out.Interface())
}

func (h *reflected) nilable() bool { return h.outPointer }

func (h *reflected) describe() ([]codec.FieldInfo, []codec.VarInfo, bool) {
	if h.enc == nil {
		return h.dec.Fields(), nil, h.fn.Type().NumIn() == 3
	}
	return h.dec.Fields(), h.enc.Fields(), false
}
