package spoe_test

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestDroppedReportsAreCounted: 4096 reports wait, and further ones are counted. The end
// of the agent drops the waiting reports and the waiting calls of ConnState, which count
// as well.
func TestDroppedReportsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var told atomic.Uint64
		h := spoetest.NewAgent(t, &spoe.Agent{
			Logger:    slog.New(slog.DiscardHandler),
			ConnState: func(net.Conn, spoe.ConnState) { told.Add(1); <-release },
			Handler: byName{"m": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				for range 5000 {
					msg.Report(func() { <-release })
				}
				return nil
			}},
		})
		h.Ask("m")
		synctest.Wait()
		assert.InDelta(t, 5000-4096, h.Agent().Stats().ReportsDropped, 1)
		assert.EqualValues(t, 1, told.Load())
		assert.NoError(t, h.Close())
		assert.NoError(t, h.Agent().Close())
		time.Sleep(time.Minute)
		states := h.Agent().Stats().ReportsDropped - (5000 - 1)
		assert.Positive(t, states)
		assert.Less(t, states, uint64(10), "new, ready, closing and closed, without the first, in which ConnState is")
		close(release)
	})
}
