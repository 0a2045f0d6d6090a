package spoe_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// answering is a handler that answers for failures.
type answering struct{ byName }

func (answering) ServeFailure(err error, acts *spoe.Actions) {
	_ = acts.SetBool(spoe.VarScopeTransaction, "timeout", errors.Is(err, spoe.ErrTimeout))
}

// A FailureHandler answers at a deadline where no function of OnFailure does: none was given,
// or one does not return within half a second.
func TestFailureHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d, grace = 20 * time.Millisecond, 500 * time.Millisecond
		release := make(chan struct{})
		hooked := func(hook func(error, *spoe.Actions), h handlerFunc) handlerFunc {
			return func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				msg.OnFailure(hook)
				return h(ctx, msg, acts)
			}
		}
		sets := func(_ error, acts *spoe.Actions) { _ = acts.SetInt(spoe.VarScopeTransaction, "own", 1) }
		blocks := func(_ error, acts *spoe.Actions) { <-release }
		late := within(d, sleeper(time.Second))
		fails := func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("failing") }
		h := spoetest.NewAgent(t, quiet(answering{byName{
			"first":       set("first", 1),
			"late":        late,
			"late-sets":   hooked(sets, late),
			"late-blocks": hooked(blocks, late),
			"fail":        fails,
			"fail-sets":   hooked(sets, fails),
			"fail-blocks": hooked(blocks, fails),
		}}))
		for name, want := range map[string]struct {
			acts string
			took time.Duration
		}{
			"late":        {"txn.first=1 txn.timeout=true", d},
			"late-sets":   {"txn.first=1 txn.own=1", d},
			"late-blocks": {"txn.first=1 txn.timeout=true", d + grace},
			"fail":        {"txn.first=1", 0},
			"fail-sets":   {"txn.first=1 txn.own=1", 0},
			"fail-blocks": {"txn.first=1 txn.timeout=true", grace},
		} {
			start := time.Now()
			assert.Equal(t, want.acts, h.AskAll(spoetest.Msg("first"), spoetest.Msg(name)).String(), name)
			assert.Equal(t, want.took, time.Since(start), name)
		}
		s := h.Agent().Stats()
		assert.EqualValues(t, 4, s.Timeouts)
		assert.Equal(t, s.Notifies, s.Acks)
		close(release)
		time.Sleep(time.Minute)
		assert.Zero(t, h.Agent().Stats().Late)
	})
}
