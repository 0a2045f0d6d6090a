package service_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/service"
)

// TestRefreshed: the value stays while the other server is down, and the program asks it
// less and less often.
func TestRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedbuffer.Buffer
		var reads atomic.Int64
		var down atomic.Bool
		down.Store(true)
		r := &service.Refreshed[int64]{Every: time.Minute, Retry: 4 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)), Read: func(context.Context) (int64, error) {
			n := reads.Add(1)
			if down.Load() {
				return 0, errors.New("down")
			}
			return n, nil
		}}
		_, ok := r.Load()
		assert.False(t, ok)
		assert.False(t, r.Up())
		ctx, stop := context.WithCancel(t.Context())
		go r.Run(ctx)
		time.Sleep(500 * time.Millisecond)
		for _, want := range []int64{1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5} { // after 1, 2, 4 and 4 seconds
			synctest.Wait()
			assert.Equal(t, want, reads.Load())
			time.Sleep(time.Second)
		}
		assert.False(t, r.Up())
		assert.Equal(t, 1, strings.Count(log.String(), "no answer"), log.String())
		down.Store(false)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		value, ok := r.Load()
		assert.True(t, ok)
		assert.Equal(t, reads.Load(), value)
		assert.True(t, r.Up())
		assert.Equal(t, 1, strings.Count(log.String(), "it answers again"))
		down.Store(true)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		still, ok := r.Load()
		assert.True(t, ok)
		assert.Equal(t, value, still)
		assert.False(t, r.Up())
		stop()
	})
}

// TestRefreshedAgain: calls share one read, and those within the pause read nothing.
func TestRefreshedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		r := &service.Refreshed[int64]{Log: slog.New(slog.DiscardHandler), Read: func(context.Context) (int64, error) {
			time.Sleep(time.Second)
			return reads.Add(1), nil
		}}
		r.Store(7)
		value, ok := r.Load()
		assert.True(t, ok)
		assert.Equal(t, int64(7), value)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { assert.True(t, r.Again(t.Context())) })
		}
		all.Wait()
		assert.Equal(t, int64(1), reads.Load())
		assert.False(t, r.Again(t.Context()))
		time.Sleep(10 * time.Second)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		assert.False(t, r.Again(ended), "its caller has gone; the read goes on for others")
		assert.True(t, r.Again(t.Context()))
		assert.Equal(t, int64(2), reads.Load())
		value, _ = r.Load()
		assert.Equal(t, int64(2), value)
	})
}
