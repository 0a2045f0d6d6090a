package router

import (
	"context"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Func makes a handler of a function from arguments to variables. In and Out
// are structs or pointers to structs; a nil Out sets nothing. It panics if one
// of their fields cannot be bound.
func Func[In, Out any](fn func(context.Context, In) (Out, error)) spoe.Handler {
	if fn == nil {
		refuse("Func", "the function is nil: pass one that is there")
	}
	h := &typedResult[In, Out]{fn: fn}
	h.in.init("Func")
	h.out.init("Func")
	return h
}

// Sink makes a handler of a function that takes arguments and sets nothing.
func Sink[In any](fn func(context.Context, In) error) spoe.Handler {
	if fn == nil {
		refuse("Sink", "the function is nil: pass one that is there")
	}
	h := &typedActions[In]{sink: true, fn: func(ctx context.Context, in In, _ *spoe.Actions) error { return fn(ctx, in) }}
	h.in.init("Sink")
	return h
}

// Acts makes a handler of a function that takes arguments and sets variables by
// hand.
func Acts[In any](fn func(context.Context, In, *spoe.Actions) error) spoe.Handler {
	if fn == nil {
		refuse("Acts", "the function is nil: pass one that is there")
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

func (h *typedResult[In, Out]) describe() ([]codec.FieldInfo, []codec.VarInfo, bool) {
	return h.in.dec.Fields(), h.out.enc.Fields(), false
}

func (h *typedResult[In, Out]) nilable() bool { return h.out.pointer }

type typedActions[In any] struct {
	fn   func(context.Context, In, *spoe.Actions) error
	in   input[In]
	sink bool // fn does not use the actions
}

func (h *typedActions[In]) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	in, err := h.in.bind(msg)
	if err != nil {
		return err
	}
	return h.fn(ctx, in, acts)
}

func (h *typedActions[In]) describe() ([]codec.FieldInfo, []codec.VarInfo, bool) {
	return h.in.dec.Fields(), nil, !h.sink
}
