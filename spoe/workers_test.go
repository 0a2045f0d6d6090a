package spoe

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// heldWorkers has a connection whose handlers wait until the test releases them, all of
// them together.
type heldWorkers struct {
	c    *conn
	gate chan struct{}
}

func newHeldWorkers(t *testing.T) *heldWorkers {
	h := &heldWorkers{gate: make(chan struct{})}
	h.c, _ = insideConn(t, &Agent{NotifyTimeout: time.Hour, Handler: HandlerFunc(func(context.Context, *Message, *Actions) error {
		<-h.gate
		return nil
	})})
	h.c.w.raw, h.c.nc = nil, discard{h.c.nc}
	return h
}

// hold makes n workers enter a handler.
func (h *heldWorkers) hold(t *testing.T, n int) {
	for range n {
		j := h.c.getJob(1, 1, time.Now())
		j.copyPayload(insidePayload(10))
		require.NoError(t, j.parse())
		h.c.enqueue(j)
		h.c.dispatch()
		synctest.Wait()
	}
}

func (h *heldWorkers) release() {
	close(h.gate)
	synctest.Wait()
	h.gate = make(chan struct{})
}

func (h *heldWorkers) idle() []*worker {
	synctest.Wait()
	ws := &h.c.shared.workers
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return slices.Clone(ws.idle)
}

// trims returns whether a timer runs for idle workers, and how many it would end.
func (h *heldWorkers) trims() (timer bool, least int) {
	ws := &h.c.shared.workers
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, w := range ws.idle[len(ws.idle):cap(ws.idle)] {
		if w != nil {
			panic("a worker that is not idle is kept from the garbage collector")
		}
	}
	return ws.trimmer != nil, ws.least
}

// Idle workers are used again, the last one first. Workers that were not needed for five
// seconds end.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldWorkers(t)
		defer h.c.clock.stop()
		ws := &h.c.shared.workers
		h.hold(t, 4)
		assert.Empty(t, h.idle())
		trims := func() bool { timer, _ := h.trims(); return timer }
		assert.False(t, trims())
		h.release()
		first := h.idle()
		assert.Len(t, first, 4)
		_, least := h.trims()
		assert.Equal(t, 1, least, "when the timer was set")
		start := time.Now()

		time.Sleep(time.Second)
		h.hold(t, 2)
		assert.Equal(t, first[:2], h.idle(), "those used last are used first")
		trims()
		h.release()
		assert.Len(t, h.idle(), 4)
		time.Sleep(trimEvery - time.Second - time.Millisecond)
		assert.Len(t, h.idle(), 4)
		time.Sleep(time.Millisecond)
		second := h.idle()
		assert.Len(t, second, 3, "one was idle when the timer was set, and all the time since")
		assert.NotContains(t, second, first[0], "the one that was idle longest ends")
		trims()
		assert.Equal(t, trimEvery, time.Since(start))

		h.hold(t, 1)
		h.release()
		assert.Len(t, h.idle(), 3)
		time.Sleep(trimEvery)
		assert.Equal(t, second[2:], h.idle(), "one was needed")
		assert.True(t, trims())
		time.Sleep(trimEvery)
		assert.Empty(t, h.idle())
		assert.False(t, trims())

		h.hold(t, 1) // and it begins anew
		h.release()
		assert.Len(t, h.idle(), 1)
		timer, least := h.trims()
		assert.True(t, timer)
		assert.Equal(t, 1, least)
		ws.stop(context.Background())
		assert.Empty(t, h.idle())
		ws.trim()
		assert.True(t, trims(), "nothing is done after the end")
	})
}

// stop waits for the workers that are in a handler, unless they were given up. They end when
// they come back.
func TestWorkersStop(t *testing.T) {
	for _, given := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHeldWorkers(t)
			defer h.c.clock.stop()
			ctx, end := context.WithCancel(context.Background())
			defer end()
			if given {
				end()
			}
			h.hold(t, 1)
			stopped := make(chan struct{})
			go func() { h.c.shared.workers.stop(ctx); close(stopped) }()
			synctest.Wait()
			assert.Equal(t, given, isClosed(stopped))
			h.release()
			assert.True(t, isClosed(stopped))
			assert.Empty(t, h.idle())
		})
	}
}
