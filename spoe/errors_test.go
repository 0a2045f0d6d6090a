package spoe_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// The text of a missed deadline names the deadline, and the handler's own error if that says
// more.
func TestTimeoutText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		within := func(d time.Duration, err error) error {
			msg, merr := spoetest.NewMessage("m")
			assert.NoError(t, merr)
			return msg.ServeWithin(t.Context(), d, spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				time.Sleep(time.Second)
				return err
			}), new(spoe.Actions))
		}
		assert.EqualError(t, spoe.ErrTimeout, "spoe: handler missed its deadline")
		assert.EqualError(t, within(20*time.Millisecond, nil), "spoe: handler missed its deadline of 20ms")
		assert.EqualError(t, within(20*time.Millisecond, fmt.Errorf("asking: %w", context.DeadlineExceeded)), "spoe: handler missed its deadline of 20ms")
		assert.EqualError(t, within(20*time.Millisecond, errors.New("no route")), "spoe: handler missed its deadline of 20ms: no route")

		var timeout interface{ Timeout() bool }
		assert.True(t, errors.As(within(time.Millisecond, nil), &timeout))
		assert.True(t, timeout.Timeout())
		assert.False(t, errors.Is(within(time.Millisecond, nil), context.Canceled))
		assert.False(t, errors.Is(errors.New("other"), spoe.ErrTimeout))
	})
}

// ServeWithin after the deadline of the NOTIFY does not call its handler.
func TestServeWithinBehindTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 1)
		h := spoetest.NewAgent(t, quiet(spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return within(10*time.Millisecond, func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				time.Sleep(20 * time.Millisecond)
				got <- msg.ServeWithin(ctx, time.Hour, spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
					t.Error("called")
					return nil
				}), acts)
				return nil
			})(ctx, msg, acts)
		})))
		h.Ask("m")
		err := <-got
		assert.ErrorIs(t, err, spoe.ErrTimeout)
		synctest.Wait()
	})
}
