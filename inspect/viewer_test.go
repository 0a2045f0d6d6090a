package inspect_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/spoe"
)

// A page that reconnects, as it does for another filter and for a pause, keeps its counts;
// a page that stays away does not, and costs nothing any more.
func TestCountsOutliveAReconnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inspect.New(inspect.Config{})
		h := handle(p, func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
		ask := func() { _ = h.ServeSPOE(t.Context(), message(t), &spoe.Actions{}) }
		ask()
		_, _, leave := p.Look(nil)
		ask()
		leave()
		time.Sleep(5 * time.Second)
		ask() // no page is open, but the counts go on
		_, _, leave = p.Look(nil)
		ask()
		assert.EqualValues(t, 3, p.Total())
		leave()
		time.Sleep(time.Minute)
		ask()
		_, _, leave = p.Look(nil)
		assert.Zero(t, p.Total())
		leave()
		require.NoError(t, p.Close())
	})
}

// The samples of a busy agent are spread over the second.
func TestSamplesAreSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inspect.New(inspect.Config{})
		defer p.Close()
		samples, dropped, leave := p.Look(nil)
		defer leave()
		h := handle(p, func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
		for range 1000 {
			_ = h.ServeSPOE(t.Context(), message(t), &spoe.Actions{})
			time.Sleep(time.Millisecond)
		}
		skipped, lost := dropped()
		assert.Equal(t, 99, samples(), "50 at once, and one for each 20 ms that have passed")
		assert.EqualValues(t, 901, skipped)
		assert.Zero(t, lost)
	})
}
