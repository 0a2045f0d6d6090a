package spoetest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestServe(t *testing.T) {
	var addr string
	t.Run("while the test runs", func(t *testing.T) {
		addr = spoetest.Serve(t, spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return acts.SetString(spoe.VarScopeTransaction, "seen", msg.Name)
		}))
		c, err := spoetest.Dial(t.Context(), "tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		vars, err := c.Ask(t.Context(), "m")
		require.NoError(t, err)
		assert.Equal(t, "txn.seen=m", vars.String())
	})
	_, err := spoetest.Dial(t.Context(), "tcp", addr)
	assert.Error(t, err, "it ends with its test")
}
