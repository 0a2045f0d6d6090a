package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

func TestRecover(t *testing.T) {
	boom := errors.New("boom")
	h := middleware.Recover()(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { panic(boom) }))
	err := h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions))
	var p *spoe.PanicError
	require.ErrorAs(t, err, &p)
	assert.Equal(t, boom, p.Value)
	assert.ErrorIs(t, err, boom)
	assert.Contains(t, string(p.Stack), "TestRecover", "the stack is that of the panic")
	assert.NotContains(t, err.Error(), "goroutine", "which stays out of the text")
}

func TestRecoverPassesErrorsOn(t *testing.T) {
	boom := errors.New("boom")
	h := middleware.Recover()(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return boom }))
	assert.Equal(t, boom, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
}

func ExampleRecover() {
	report := func(next spoe.Handler) spoe.Handler { // to whoever collects them
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			err := next.ServeSPOE(ctx, msg, acts)
			if p := (*spoe.PanicError)(nil); errors.As(err, &p) {
				fmt.Printf("reported: %v, with a stack: %v\n", p.Value, len(p.Stack) > 0)
			}
			return err
		})
	}
	handler := spoe.Chain(spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
		panic("index out of range")
	}), report, middleware.Recover())

	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "ip-rep")
	// Output:
	// reported: index out of range, with a stack: true
	// ip-rep:
}
