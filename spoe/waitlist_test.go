package spoe

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Up to 1024 connections wait for a slot. When more come, the connection that
// waited longest ends.
func TestWaitlist(t *testing.T) {
	var w waitlist
	conns := make([]*conn, maxWaiting+2)
	for i := range conns {
		conns[i] = new(conn)
		oldest := w.add(conns[i])
		switch {
		case i < maxWaiting:
			assert.Nil(t, oldest)
		default:
			assert.Same(t, conns[i-maxWaiting], oldest)
		}
	}
	assert.Len(t, w.conns, 1024)
	w.remove(conns[0]) // is not there
	assert.Len(t, w.conns, 1024)
	w.remove(conns[2])
	w.remove(conns[5])
	assert.Len(t, w.conns, 1022)
	assert.Same(t, conns[3], w.conns[0])
	assert.Same(t, conns[6], w.conns[2])
}

// A slot goes back when its connection ends, and a place on the waitlist, too.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{MaxConnections: 1}
		s := &a.shared
		first, _ := insideConn(t, a)
		second, _ := insideConn(t, a)
		third, _ := insideConn(t, a)
		for _, c := range []*conn{first, second, third} {
			defer c.clock.stop()
			s.admit(c)
		}
		assert.True(t, first.slot)
		assert.False(t, second.slot)
		assert.Equal(t, []*conn{second, third}, s.waiting.conns)
		require.NoError(t, first.takeSlot())
		assert.False(t, first.crowded.Load())
		got := make(chan error, 1)
		go func() { got <- second.takeSlot() }()
		synctest.Wait()
		assert.True(t, second.crowded.Load())
		s.giveSlot(first)
		require.NoError(t, <-got)
		assert.True(t, second.slot)
		assert.False(t, second.crowded.Load())
		assert.Equal(t, []*conn{third}, s.waiting.conns)
		go func() { got <- third.takeSlot() }()
		synctest.Wait()
		third.cancel()
		assert.Equal(t, errLast, <-got)
		assert.False(t, third.slot)
		s.giveSlot(third)
		assert.Empty(t, s.waiting.conns)
		assert.False(t, s.connSlots.TryAcquire(1))
		s.giveSlot(second)
		assert.True(t, s.connSlots.TryAcquire(1))
	})
}

// The connection that waited longest is closed and logged.
func TestOldestWaitingEnds(t *testing.T) {
	a := &Agent{MaxConnections: 1}
	s := &a.shared
	first, _ := insideConn(t, a)
	log := logged(first)
	s.admit(first)
	oldest, _ := insideConn(t, a)
	s.admit(oldest)
	for range maxWaiting - 1 {
		s.waiting.add(new(conn))
	}
	assert.Equal(t, open, oldest.phase())
	last, _ := insideConn(t, a)
	s.admit(last)
	assert.Equal(t, closed, oldest.phase())
	assert.Equal(t, open, last.phase())
	assert.Contains(t, log(), `level=WARN msg="spoe: connection closed" reason="1 connections are open (Agent.MaxConnections)"`)
}
