package spoe

import (
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// Nothing is under way on a new connection.
func TestNewConnTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := insideConn(t, &Agent{})
		defer c.clock.stop()
		assert.Equal(t, times{
			start: now(), lastFrame: now(), looked: now(),
			frameSince: never, payloadSince: never, writeSince: never,
			plan: noRetirement, heldSince: never,
		}, c.times())
		assert.EqualValues(t, never, c.clock.due.Load())
		c.out = &buffer{}
		assert.True(t, c.times().busy)
		c.out = nil
		c.unread.Store(true)
		assert.True(t, c.times().busy)
		c.unread.Store(false)
		c.acking = 1
		assert.True(t, c.times().busy)
		c.acking = 0
		c.jobs.add(new(job))
		assert.True(t, c.times().busy)
		c.jobs = jobSet{}
		assert.False(t, c.times().busy)
		c.awake.Store(true)
		assert.True(t, c.times().awake)
	})
}

// The timer runs at the earliest time that it was armed for, once.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k clock
		ran := make(chan time.Duration, 10)
		start := time.Now()
		k.init(func() { // as look does
			k.due.Store(never)
			ran <- time.Since(start)
		})
		in := func(d time.Duration) { k.arm(k.start + int64(d)) }
		in(5 * time.Second)
		in(7 * time.Second)
		in(2 * time.Second)
		in(2 * time.Second)
		time.Sleep(time.Minute)
		in(time.Second) // is over
		synctest.Wait()
		time.Sleep(time.Second)
		in(70 * time.Second)
		assert.Equal(t, k.start+int64(70*time.Second), k.due.Load())
		k.stop()
		k.stop()
		k.due.Store(never)
		in(65 * time.Second)
		assert.EqualValues(t, never, k.due.Load(), "it is stopped")
		time.Sleep(time.Minute)
		require.Len(t, ran, 2)
		assert.Equal(t, 2*time.Second, <-ran)
		assert.Equal(t, time.Minute, <-ran)
	})
}

// Three seconds after its last look, the clock looks whether HAProxy is gone: the reader may
// not notice, as it waits for places here.
func TestLookForEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		closed bool
		phase  phase
		looked time.Duration // ago
		asked  bool
		looks  bool
	}{
		{"gone", true, open, lookForEnd, true, true},
		{"there", false, open, lookForEnd, false, true},
		{"gone, looked just now", true, open, lookForEnd - time.Minute, false, false},
		{"gone, closes anyway", true, closing, lookForEnd, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			haproxy, agent := sockets(t)
			c := insideConnOn(t, &Agent{}, agent)
			if tt.closed {
				require.NoError(t, haproxy.CloseWrite())
				require.Eventually(t, c.r.ended, 30*time.Second, time.Millisecond)
			}
			c.current.Store(int32(tt.phase))
			looked := now() - int64(tt.looked)
			c.clock.looked.Store(looked)
			c.look()
			assert.Equal(t, tt.asked, c.asked.Load() != nil)
			assert.Equal(t, tt.looks, c.clock.looked.Load() != looked)
		})
	}
}

// The clock does for each verdict of the rules what the verdict says.
func TestLook(t *testing.T) {
	const readTimeout, writeTimeout, hello, idleTimeout = 3 * time.Second, 4 * time.Second, 5 * time.Second, 6 * time.Second
	for _, tt := range []struct {
		name  string
		phase phase
		set   func(c *conn)
		after time.Duration
		want  phase
		end   *codec.Disconnect
		asked *farewell
		due   time.Duration // from the look on, 0: never
	}{
		{name: "nothing", phase: open, after: time.Second, want: open, due: idleTimeout - time.Second},
		{name: "no hello", phase: greeting, after: hello, want: closing, end: &codec.Disconnect{Status: codec.StatusTimeout, Message: "no hello within 5s (Agent.HelloTimeout)"}, due: 0},
		{name: "no slot", phase: greeting, set: func(c *conn) { c.crowded.Store(true) }, after: hello, want: closing, end: &codec.Disconnect{Status: codec.StatusTimeout, Message: "7 connections are open (Agent.MaxConnections)"}},
		{name: "unused", phase: greeting, set: func(c *conn) { c.plan = retirement{at: now(), force: never} }, after: time.Second, want: closed},
		{name: "slow frame", phase: open, set: func(c *conn) { c.clock.frameSince.Store(now()) }, after: readTimeout, want: closing, end: &codec.Disconnect{Status: codec.StatusTimeout, Message: "a frame was not whole within 3s (Agent.ReadTimeout)"}},
		{name: "slow payload", phase: open, set: func(c *conn) { c.clock.payloadSince.Store(now()) }, after: readTimeout, want: closing, end: &codec.Disconnect{Status: codec.StatusTimeout, Message: "the next fragment of a payload did not come within 3s (Agent.ReadTimeout)"}},
		{name: "not reading", phase: open, set: func(c *conn) { c.clock.writeSince.Store(now()) }, after: writeTimeout, want: closed},
		{name: "idle", phase: open, after: idleTimeout, want: open, asked: &farewell{codec.StatusTimeout, "idle for 6s"}, due: askAgain},
		{name: "tired", phase: open, set: func(c *conn) { c.awake.Store(true) }, after: lookForEnd, want: open, asked: toRest, due: askAgain},
		{name: "begins to retire", phase: open, set: func(c *conn) {
			c.plan = retirement{at: now() + int64(time.Second), quiet: 2 * time.Second, force: never}
		}, after: time.Second, want: retiring, due: time.Second},
		{name: "retires later", phase: open, set: func(c *conn) {
			c.plan = retirement{at: now() + int64(time.Second), quiet: 2 * time.Second, force: never}
		}, after: time.Second - 1, want: open, due: 1},
		{name: "quiet", phase: open, set: func(c *conn) {
			c.plan = retirement{at: now() + int64(time.Second), quiet: 2 * time.Second, force: never}
		}, after: 2 * time.Second, want: retiring, asked: &farewell{codec.StatusNormal, ""}, due: askAgain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := insideConn(t, &Agent{ReadTimeout: readTimeout, WriteTimeout: writeTimeout, HelloTimeout: hello, IdleTimeout: idleTimeout, MaxConnections: 7})
				c.current.Store(int32(tt.phase))
				if tt.set != nil {
					tt.set(c)
				}
				sent := make(chan []byte, 1)
				go func() {
					b := make([]byte, 1000)
					n, _ := peer.Read(b)
					sent <- b[:n]
				}()
				time.Sleep(tt.after)
				c.clock.due.Store(now()) // as the timer has it
				c.look()
				synctest.Wait()
				assert.Equal(t, tt.want, c.phase())
				if tt.end != nil {
					f, err := codec.ParseFrame((<-sent)[codec.LengthSize:])
					require.NoError(t, err)
					d, err := codec.ParseDisconnect(f.Payload)
					require.NoError(t, err)
					assert.Equal(t, *tt.end, d)
					assert.Equal(t, tt.name == "no slot", c.ctx.Err() != nil, "the wait for a slot ends")
				} else {
					asked := c.asked.Load()
					assert.Equal(t, tt.asked, asked)
					if tt.asked == toRest {
						assert.Same(t, toRest, asked)
						assert.False(t, c.awake.Load())
					}
					peer.Close()
					<-sent
				}
				if tt.due > 0 {
					assert.Equal(t, now()+int64(tt.due), c.clock.due.Load())
				}
				c.clock.stop()
			})
		})
	}
}

// The clock looks for HAProxy's end three seconds after it last did, and not before.
func TestLooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := insideConn(t, &Agent{})
		start := now()
		time.Sleep(lookForEnd - 1)
		c.look()
		assert.Equal(t, start, c.clock.looked.Load())
		time.Sleep(time.Nanosecond)
		c.look()
		assert.Equal(t, now(), c.clock.looked.Load())
		c.clock.stop()
	})
}

// A write that does not end is broken off by a reset, which drops what the kernel still has.
func TestResetDropsUnsentBytes(t *testing.T) {
	haproxy, agent := sockets(t)
	c := insideConnOn(t, &Agent{}, agent)
	_, err := agent.Write(make([]byte, 100))
	require.NoError(t, err)
	c.reset("test")
	assert.Equal(t, closed, c.phase())
	assert.Error(t, c.ctx.Err())
	agent.Close()
	_, err = io.ReadAll(haproxy)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
}
