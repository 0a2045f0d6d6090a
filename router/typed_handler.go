package router

import (
	"context"

	"github.com/spoke-go/spoke/spoe"
)

// resultHandler is the handler of [Branch.Handle].
type resultHandler[In, Out any] struct {
	fn  func(context.Context, In) (Out, error)
	in  input[In]
	out output[Out]
}

func (h *resultHandler[In, Out]) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
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

// actionsHandler is the handler of [Branch.HandleActions] and [Branch.Observe].
type actionsHandler[In any] struct {
	fn func(context.Context, In, *spoe.Actions) error
	in input[In]
}

func (h *actionsHandler[In]) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	in, err := h.in.bind(msg)
	if err != nil {
		return err
	}
	return h.fn(ctx, in, acts)
}
