package spoe

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A budget gives bytes while there are any, and wakes all that wait when some come back.
func TestBudget(t *testing.T) {
	b := &budget{free: 10}
	assert.Nil(t, b.take(4))
	assert.Nil(t, b.take(6), "the last ones")
	assert.Nil(t, b.take(0))
	first := b.take(1)
	require.NotNil(t, first)
	assert.Equal(t, first, b.take(2))
	b.giveBack(3)
	assert.True(t, isClosed(first))
	second := b.take(4)
	require.NotNil(t, second)
	assert.False(t, isClosed(second))
	assert.Nil(t, b.take(3))
	b.overdraw(5)
	assert.Equal(t, -5, b.free)
	b.giveBack(5)
	assert.True(t, isClosed(second))
	assert.Zero(t, b.free)
	b.giveBack(2) // nobody waits
	assert.Nil(t, b.take(2))
}

// budgetAccount is a connection's part of the budget, and how much of the budget is taken.
type budgetAccount struct{ held, granted, reserved, taken int }

func accountOf(c *conn) budgetAccount {
	c.mu.Lock()
	defer c.mu.Unlock()
	return budgetAccount{c.held, c.granted, c.reserved, c.shared.maxBuffered - c.shared.bytes.free}
}

// A connection takes bytes before it copies them, 32 KiB at once at least, and returns all
// when it holds none.
func TestReserve(t *testing.T) {
	const most, grant = 1 << 20, 32 << 10
	c, _ := insideConn(t, &Agent{MaxBuffered: most})
	assert.True(t, c.reserve(10))
	assert.Equal(t, budgetAccount{0, grant, 10, grant}, accountOf(c))
	assert.True(t, c.reserve(grant), "it has them")
	assert.Equal(t, budgetAccount{0, grant, grant, grant}, accountOf(c))
	c.hold(10)
	assert.Equal(t, budgetAccount{10, grant, grant - 10, grant}, accountOf(c))
	assert.True(t, c.reserve(grant), "10 more than it has")
	assert.Equal(t, budgetAccount{10, 2 * grant, grant, 2 * grant}, accountOf(c))
	assert.True(t, c.reserve(5*grant))
	assert.Equal(t, budgetAccount{10, 5*grant + 10, 5 * grant, 5*grant + 10}, accountOf(c))
	c.hold(-4)
	assert.Equal(t, budgetAccount{6, 5*grant + 10, 5 * grant, 5*grant + 10}, accountOf(c), "it keeps what it has taken")
	c.hold(5*grant + 1)
	assert.Equal(t, budgetAccount{5*grant + 7, 5*grant + 10, 0, 5*grant + 10}, accountOf(c))
	c.hold(10)
	assert.Equal(t, budgetAccount{5*grant + 17, 5*grant + 17, 0, 5*grant + 17}, accountOf(c), "overdrawn")
	c.hold(-5*grant - 17)
	assert.Equal(t, budgetAccount{}, accountOf(c))
	c.hold(-1)
	assert.Equal(t, budgetAccount{}, accountOf(c), "never below nothing")

	assert.True(t, c.reserve(20))
	c.hold(7)
	c.unreserve()
	assert.Equal(t, budgetAccount{7, grant, 0, grant}, accountOf(c))
	c.hold(-7)
	assert.True(t, c.reserve(20))
	c.unreserve()
	assert.Equal(t, budgetAccount{}, accountOf(c))

	c.mu.Lock()
	c.holdOutLocked(3)
	c.holdOutLocked(4)
	assert.Equal(t, 7, c.outHeld)
	c.mu.Unlock()
	assert.Equal(t, budgetAccount{7, 7, 0, 7}, accountOf(c))
}

// A payload waits for half of the budget at most, and for what its fragments leave of that.
func TestReserveOfOnePayload(t *testing.T) {
	const most = 1 << 20
	c, _ := insideConn(t, &Agent{MaxBuffered: most})
	assert.True(t, c.reserve(10*most))
	assert.Equal(t, most/2, accountOf(c).reserved)
	c.fragments = fragments{{1, 1}: {payload: make([]byte, 1000)}, {2, 1}: {payload: make([]byte, 24)}}
	assert.Equal(t, 1024, c.fragments.size())
	assert.True(t, c.reserve(10*most))
	assert.Equal(t, most/2-1024, accountOf(c).reserved)
	c.fragments = fragments{{1, 1}: {payload: make([]byte, most)}}
	assert.True(t, c.reserve(10*most))
	assert.Zero(t, accountOf(c).reserved)
}

// A connection that waits for the budget gives back what it does not hold. The wait is no
// time that HAProxy takes for a frame.
func TestReserveWaits(t *testing.T) {
	for _, partial := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			const most, grant = 1 << 20, 32 << 10
			c, _ := insideConn(t, &Agent{MaxBuffered: most})
			defer c.clock.stop()
			require.True(t, c.reserve(10))
			c.hold(10)
			c.shared.bytes.overdraw(most - 100) // others have nearly all
			if partial {
				c.clock.frameSince.Store(now())
			}
			done := make(chan bool)
			go func() { done <- c.reserve(2 * grant) }()
			synctest.Wait()
			assert.Equal(t, budgetAccount{10, 10, 0, most - 90}, accountOf(c))
			assert.EqualValues(t, never, c.clock.frameSince.Load())
			time.Sleep(time.Minute)
			c.hold(-4) // a handler returns
			assert.Equal(t, budgetAccount{6, 6, 0, most - 94}, accountOf(c), "the bytes go to the others at once")
			synctest.Wait()
			select {
			case <-done:
				t.Error("the wait is over")
			default:
			}
			c.clock.due.Store(never)
			c.shared.bytes.giveBack(most - 100)
			assert.True(t, <-done)
			assert.Nil(t, c.stop)
			assert.Equal(t, budgetAccount{6, 2*grant + 6, 2 * grant, 2*grant + 6}, accountOf(c))
			if partial {
				assert.Equal(t, now(), c.clock.frameSince.Load(), "its time begins anew")
				assert.Equal(t, now()+int64(c.shared.read), c.clock.due.Load())
			} else {
				assert.EqualValues(t, never, c.clock.frameSince.Load())
				assert.EqualValues(t, never, c.clock.due.Load())
			}
			c.clock.stop()
		})
	}
}

// The end of a connection ends its wait for the budget. It takes no more bytes then, but may
// use the bytes that it has.
func TestReserveEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1 << 20
		c, peer := insideConn(t, &Agent{MaxBuffered: most})
		defer peer.Close()
		c.shared.bytes.overdraw(most)
		c.r.buf, c.r.to = &buffer{make([]byte, 10)}, 10
		done := make(chan error)
		go func() { done <- c.reserveRead() }()
		synctest.Wait()
		c.kill()
		assert.Equal(t, errLast, <-done)
		assert.Nil(t, c.stop)
		assert.False(t, c.reserve(1))
		assert.True(t, c.reserve(0))
		c.hold(10)
		assert.True(t, c.reserve(0))
		assert.False(t, c.reserve(1))
		c.clock.stop()
	})
}

// The frames in the read buffer are paid for before they are copied; a frame that is longer
// than a read, while it arrives: its place in the buffer, which doubles, and its copy.
func TestReserveFrames(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	c.r.buf = &buffer{make([]byte, readSize)}
	c.r.from, c.r.to = 5, 25
	require.NoError(t, c.reserveRead())
	assert.Equal(t, 20, accountOf(c).reserved)
	c.unreserve()

	announce := func(n uint32) {
		c.r.from, c.r.to = 0, 4
		c.r.buf.b[0], c.r.buf.b[1], c.r.buf.b[2], c.r.buf.b[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	}
	const long = 100_000
	announce(readSize)
	require.NoError(t, c.reserveFrame())
	assert.Zero(t, c.growing, "it fits into one read")
	announce(readSize + 1)
	require.NoError(t, c.reserveFrame())
	assert.Equal(t, 2*(readSize+1), c.growing)
	announce(long)
	require.NoError(t, c.reserveFrame())
	assert.Equal(t, 2*long, c.growing)
	assert.Equal(t, budgetAccount{2 * long, 2 * long, 0, 2 * long}, accountOf(c))
	require.NoError(t, c.reserveFrame())
	assert.Equal(t, budgetAccount{2 * long, 2 * long, 0, 2 * long}, accountOf(c), "once")
	require.NoError(t, c.reserveRead())
	assert.Equal(t, budgetAccount{2 * long, 2 * long, 0, 2 * long}, accountOf(c), "its bytes are paid for")

	j := &job{payload: make([]byte, 2*long)}
	c.chargeLarge(j)
	assert.True(t, j.held)
	assert.Zero(t, c.growing)
	assert.Zero(t, c.batched)
	assert.Equal(t, 2*long, accountOf(c).held, "now the job's")
	c.growing = 2*long - 1
	j = &job{payload: make([]byte, 2*long)}
	c.chargeLarge(j)
	assert.False(t, j.held)
	assert.Equal(t, 2*long-1, c.growing)
	assert.Equal(t, 2*long, c.batched)
	c.growing = 2 * long
	c.r.to = 0
	require.NoError(t, c.reserveFrame())
	assert.Zero(t, c.growing)
	assert.Equal(t, budgetAccount{}, accountOf(c))

	c.mu.Lock()
	c.setPhaseLocked(closing)
	c.mu.Unlock()
	announce(long)
	assert.Equal(t, errLast, c.reserveFrame())
}
