package msgctx_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

func begin(s *msgctx.Source, parent *msgctx.Ctx) (*msgctx.Handle, *msgctx.Ctx) {
	return s.Begin(parent, int64(time.Since(msgctx.Epoch)+time.Hour))
}

// TestKept: a context that a handler has kept reports its end for ever, whether it was looked
// at in time or not, while the source goes on.
func TestKept(t *testing.T) {
	t.Parallel()
	conn := msgctx.New(context.Background(), 0)
	var s msgctx.Source
	looked, _ := begin(&s, conn)
	done := looked.Done()
	assert.NoError(t, looked.Err())
	at, ok := looked.Deadline()
	assert.True(t, ok)
	assert.Greater(t, time.Until(at), time.Minute)
	s.End()
	unseen, _ := begin(&s, conn)
	s.End()
	now, _ := begin(&s, conn)
	for range 500 { // more than a chunk has
		s.End()
		now, _ = begin(&s, conn)
	}
	<-done
	for _, h := range []*msgctx.Handle{looked, unseen} {
		assert.Equal(t, context.Canceled, h.Err())
		<-h.Done()
		called := make(chan struct{})
		context.AfterFunc(h, func() { close(called) })
		<-called
	}
	at, _ = unseen.Deadline()
	assert.Less(t, time.Until(at), time.Duration(0), "a settled message has no time left")
	assert.NoError(t, now.Err())
}

// TestLate: the contexts of a message that was acknowledged at its deadline say so for ever.
func TestLate(t *testing.T) {
	t.Parallel()
	conn := msgctx.New(context.Background(), 0)
	var s msgctx.Source
	h, c := begin(&s, conn)
	assert.True(t, c.Is(h))
	child, cancel := context.WithCancel(h)
	defer cancel()
	c.End(context.DeadlineExceeded)
	s.Drop()
	begin(&s, conn)
	assert.Equal(t, context.DeadlineExceeded, h.Err())
	<-child.Done()
	assert.Equal(t, context.DeadlineExceeded, child.Err())
}

// TestConnectionEnds: the end of the connection ends the context of its message alone.
func TestConnectionEnds(t *testing.T) {
	t.Parallel()
	one, two := msgctx.New(context.Background(), 0), msgctx.New(context.Background(), 0)
	var s msgctx.Source
	begin(&s, one)
	s.End()
	s.Rest()
	h, _ := begin(&s, two)
	one.End(context.Canceled)
	assert.NoError(t, h.Err())
	two.End(context.Canceled)
	assert.Equal(t, context.Canceled, h.Err())
	<-h.Done()
}

// TestKeptConcurrently: goroutines look at contexts at the moment of their end.
func TestKeptConcurrently(t *testing.T) {
	t.Parallel()
	conn := msgctx.New(context.Background(), 0)
	var s msgctx.Source
	var wg sync.WaitGroup
	for i := range 5000 {
		h, c := begin(&s, conn)
		wg.Go(func() {
			if i%2 == 0 {
				h.Err()
				h.Deadline()
			}
			<-h.Done()
			assert.Equal(t, context.Canceled, h.Err())
		})
		if i%3 == 0 {
			assert.NoError(t, h.Err())
		}
		assert.True(t, c.Is(h))
		s.End()
		assert.False(t, c.Is(h))
	}
	wg.Wait()
}

func TestAllocations(t *testing.T) {
	conn := msgctx.New(context.Background(), 0)
	var s msgctx.Source
	n := testing.AllocsPerRun(20, func() {
		for range 248 {
			h, _ := begin(&s, conn)
			if h.Err() != nil {
				t.Error("ended early")
			}
			s.End()
		}
	})
	assert.LessOrEqual(t, n, 1.0, "a chunk serves 248 messages")
}
