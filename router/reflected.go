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
	acts      bool         // it takes the actions
	dec       *codec.Decoder

	outPointer bool           // its result is a pointer to a struct
	enc        *codec.Encoder // nil: it has none
	calls      sync.Pool      // of *call
}

// call is what one call needs, kept from call to call.
type call struct {
	args []reflect.Value
	in   reflect.Value // *In
	out  reflect.Value // *Out
}

const forms = `want one of
	spoe.Handler
	func(context.Context, *spoe.Message, *spoe.Actions) error
	func(context.Context, In) (Out, error)
	func(context.Context, In) error
	func(context.Context, In, *spoe.Actions) error
with In and Out a struct or a pointer to one`

var (
	contextType = reflect.TypeFor[context.Context]()
	actionsType = reflect.TypeFor[*spoe.Actions]()
	errorType   = reflect.TypeFor[error]()
)

func newReflected(fn reflect.Value) (*reflected, error) {
	t := fn.Type()
	if t.Kind() != reflect.Func {
		return nil, fmt.Errorf("the handler is a %v, no function; %s", t, forms)
	}
	if fn.IsNil() {
		return nil, fmt.Errorf("the handler is a nil %v", t)
	}
	if err := checkForm(t); err != nil {
		return nil, fmt.Errorf("the handler is a %v: %v; %s", t, err, forms)
	}
	h := &reflected{fn: fn, acts: t.NumIn() == 3}
	var err error
	if h.in, h.inPointer, err = structOf(t.In(1)); err == nil {
		h.dec, err = codec.DecoderOf(h.in)
	}
	if err != nil {
		return nil, fmt.Errorf("input %v", err)
	}
	var out reflect.Type
	if t.NumOut() == 2 {
		if out, h.outPointer, err = structOf(t.Out(0)); err == nil {
			h.enc, err = codec.EncoderOf(out)
		}
		if err != nil {
			return nil, fmt.Errorf("result %v", err)
		}
	}
	h.calls.New = func() any {
		c := &call{args: make([]reflect.Value, t.NumIn())}
		if !h.inPointer {
			c.in = reflect.New(h.in)
		}
		if out != nil && !h.outPointer {
			c.out = reflect.New(out)
		}
		return c
	}
	return h, nil
}

func checkForm(t reflect.Type) error {
	switch {
	case t.IsVariadic():
		return fmt.Errorf("it is variadic")
	case t.NumIn() < 2 || t.NumIn() > 3:
		return fmt.Errorf("it takes %d arguments", t.NumIn())
	case t.In(0) != contextType:
		return fmt.Errorf("its first argument is %v, not context.Context", t.In(0))
	case t.NumIn() == 3 && t.In(2) != actionsType:
		return fmt.Errorf("its third argument is %v, not *spoe.Actions", t.In(2))
	case t.NumOut() == 0 || t.NumOut() > 2:
		return fmt.Errorf("it returns %d values", t.NumOut())
	case t.Out(t.NumOut()-1) != errorType:
		return fmt.Errorf("its last result is %v, not error", t.Out(t.NumOut()-1))
	case t.NumIn() == 3 && t.NumOut() == 2:
		return fmt.Errorf("it both takes *spoe.Actions and returns a result")
	}
	return nil
}

func (h *reflected) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	c := h.calls.Get().(*call)
	in := c.in
	if h.inPointer {
		in = reflect.New(h.in) // the handler's to keep
	}
	if err := h.dec.Decode(msg.Name, msg.Args.Raw(), in.Interface()); err != nil {
		return err
	}
	c.args[0] = reflect.ValueOf(&ctx).Elem()
	if c.args[1] = in; !h.inPointer {
		c.args[1] = in.Elem()
	}
	if h.acts {
		c.args[2] = reflect.ValueOf(acts)
	}
	results := h.fn.Call(c.args)
	clear(c.args)
	if !h.inPointer {
		in.Elem().SetZero() // the handler has a copy
	}
	if err, _ := results[len(results)-1].Interface().(error); err != nil {
		h.calls.Put(c)
		return err
	}
	err := h.set(c, results, acts)
	h.calls.Put(c)
	return err
}

// set sets the variables of the result.
func (h *reflected) set(c *call, results []reflect.Value, acts *spoe.Actions) error {
	switch {
	case h.enc == nil:
		return nil
	case !h.outPointer:
		c.out.Elem().Set(results[0])
		err := acts.SetResult(h.enc, c.out.Interface())
		c.out.Elem().SetZero()
		return err
	case results[0].IsNil():
		return nil
	}
	return acts.SetResult(h.enc, results[0].Interface())
}

func (h *reflected) describe() ([]codec.FieldInfo, []codec.VarInfo) {
	if h.enc == nil {
		return h.dec.Fields(), nil
	}
	return h.dec.Fields(), h.enc.Fields()
}
