package spoe_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// The first middleware of a chain is the outermost.
func TestChain(t *testing.T) {
	var order []string
	named := func(name string) spoe.Middleware {
		return func(next spoe.Handler) spoe.Handler {
			return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				order = append(order, name)
				return next.ServeSPOE(ctx, msg, acts)
			})
		}
	}
	last := spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
		order = append(order, "handler")
		return nil
	})
	msg, err := spoetest.NewMessage("m")
	require.NoError(t, err)
	require.NoError(t, spoe.Chain(last, named("first"), named("second")).ServeSPOE(t.Context(), msg, new(spoe.Actions)))
	assert.Equal(t, []string{"first", "second", "handler"}, order)
	order = nil
	require.NoError(t, spoe.Chain(last).ServeSPOE(t.Context(), msg, new(spoe.Actions)))
	assert.Equal(t, []string{"handler"}, order)
}
