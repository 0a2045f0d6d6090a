package spoe_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// compute keeps the processor for d.
func compute(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// ACKs leave while the handlers behind them compute, however few processors there
// are: they do not wait for the last one of what came together.
func TestAcksLeaveBetweenComputations(t *testing.T) {
	for _, procs := range []int{1, 2} {
		t.Run(itoa(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			ln, err := spoe.Listen("127.0.0.1:0")
			require.NoError(t, err)
			var handled, waiting atomic.Int64
			a := &spoe.Agent{}
			a.Handler = spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				n := handled.Add(1) - 1
				waiting.Add(max(n-int64(a.Stats().Acks), 0))
				compute(time.Millisecond)
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx, ln) }()
			c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
			require.NoError(t, err)
			const rounds, together = 10, 16
			for round := range rounds + 1 {
				if round == 1 {
					waiting.Store(0) // the first shows the agent that handlers are slow
				}
				ids := make([]spoetest.ID, together)
				frames := make([]codec.Frame, together)
				for i := range frames {
					ids[i] = spoetest.ID{Stream: uint64(round*together + i + 1), Frame: 1}
					payload, err := spoetest.Payload(spoetest.Msg("m"))
					require.NoError(t, err)
					frames[i] = spoetest.NotifyFrame(ids[i], payload)
				}
				require.NoError(t, c.WriteFrames(t.Context(), frames...))
				for range ids {
					_, err := c.AnyAck(t.Context())
					require.NoError(t, err)
				}
			}
			mean := float64(waiting.Load()) / (rounds * together)
			assert.Less(t, mean, float64(3+procs), "ACKs that wait for their write when a handler begins")
			c.Close()
			cancel()
			require.NoError(t, <-ended)
		})
	}
}
