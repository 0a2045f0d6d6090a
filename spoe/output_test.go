package spoe

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// framesOf cuts bytes into frames.
func framesOf(t *testing.T, b []byte) (frames []codec.Frame) {
	t.Helper()
	for len(b) > 0 {
		n, ok := codec.FrameLength(b)
		require.True(t, ok)
		f, err := codec.ParseFrame(b[codec.LengthSize : codec.LengthSize+n])
		require.NoError(t, err)
		frames, b = append(frames, f), b[codec.LengthSize+n:]
	}
	return frames
}

// recorded is a connection that notes its writes, and fails them with err.
type recorded struct {
	net.Conn
	writes    [][]byte
	err       error
	write     func()
	deadlines []time.Time // for reading
}

func (r *recorded) Write(b []byte) (int, error) {
	r.writes = append(r.writes, bytes.Clone(b))
	if r.write != nil {
		r.write()
	}
	if r.err != nil {
		return 0, r.err
	}
	return len(b), nil
}

func (r *recorded) SetReadDeadline(t time.Time) error {
	r.deadlines = append(r.deadlines, t)
	return nil
}

// halfRecorded can end its writes alone.
type halfRecorded struct {
	recorded
	ended int
}

func (r *halfRecorded) CloseWrite() error { r.ended++; return nil }

// appendAcks appends the ACKs of n jobs in flight, as workers do.
func appendAcks(c *conn, n int, actions []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range n {
		c.appendAckLocked(&job{c: c, streamID: uint64(i + 1), frameID: 9}, actions)
	}
}

// inFlight takes n places, as NOTIFYs in flight have them.
func inFlight(t *testing.T, c *conn, n int64) {
	t.Helper()
	require.True(t, c.shared.notifySlots.TryAcquire(n))
	c.shared.counters.inFlight.Add(n)
}

// An ACK gives its NOTIFY's place back and counts as held until it is written. ACKs that are
// ready together leave in one write.
func TestAppendAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := &recorded{}
		c := insideConnOn(t, &Agent{MaxConcurrent: 10}, &closer{nc})
		defer c.clock.stop()
		inFlight(t, c, 10)
		actions := codec.AppendUnsetVar(nil, codec.ScopeSession, "x")
		appendAcks(c, 3, actions)
		assert.True(t, c.shared.notifySlots.TryAcquire(3))
		assert.False(t, c.shared.notifySlots.TryAcquire(1))
		assert.EqualValues(t, 3, c.outAcks)
		assert.Equal(t, len(c.out.b), c.outHeld)
		assert.Equal(t, len(c.out.b), c.held)
		assert.Equal(t, len(c.out.b), c.unsentLocked())
		assert.EqualValues(t, 10, c.shared.counters.inFlight.Load())

		late := &job{c: c, streamID: 4, frameID: 9, charged: true}
		c.mu.Lock()
		c.appendAckLocked(late, nil)
		c.mu.Unlock()
		assert.False(t, c.shared.notifySlots.TryAcquire(1), "its handler has the place")

		time.Sleep(time.Second)
		nc.write = func() {
			assert.Equal(t, now(), c.clock.writeSince.Load())
			assert.Equal(t, now(), c.clock.lastFrame.Load())
			assert.Equal(t, now()+int64(c.shared.write), c.clock.due.Load())
			assert.True(t, c.flusher)
			assert.Nil(t, c.out)
			assert.Zero(t, c.outAcks)
			assert.Zero(t, c.outHeld)
			assert.NotZero(t, c.held)
		}
		c.mu.Lock()
		c.unlockAndFlush()
		assert.EqualValues(t, never, c.clock.writeSince.Load())
		assert.False(t, c.flusher)
		assert.Zero(t, c.held)
		assert.EqualValues(t, 6, c.shared.counters.inFlight.Load())
		assert.EqualValues(t, 4, c.shared.counters.acks.Load())
		require.Len(t, nc.writes, 1)
		frames := framesOf(t, nc.writes[0])
		require.Len(t, frames, 4)
		for i, f := range frames {
			assert.Equal(t, codec.FrameAck, f.Type)
			assert.Equal(t, codec.FlagFIN, f.Flags)
			assert.EqualValues(t, i+1, f.StreamID)
			assert.EqualValues(t, 9, f.FrameID)
		}
		assert.Equal(t, actions, frames[2].Payload)
		assert.Empty(t, frames[3].Payload)

		c.mu.Lock()
		c.setPhaseLocked(closing)
		c.mu.Unlock()
		appendAcks(c, 1, nil)
		assert.Nil(t, c.out)
		assert.EqualValues(t, 5, c.shared.counters.inFlight.Load())
		assert.EqualValues(t, 4, c.shared.counters.acks.Load())
		c.clock.stop()
	})
}

// closer can be closed, as recorded has no connection below it.
type closer struct{ *recorded }

func (*closer) Close() error                { return nil }
func (*closer) SetDeadline(time.Time) error { return nil }
func (*closer) RemoteAddr() net.Addr        { return nil }

// NoEmptyACK adds an action where there is none, and nowhere else.
func TestNoEmptyAck(t *testing.T) {
	nc := &recorded{}
	c := insideConnOn(t, &Agent{NoEmptyACK: true}, &closer{nc})
	inFlight(t, c, 2)
	appendAcks(c, 1, nil)
	actions := codec.AppendUnsetVar(nil, codec.ScopeSession, "x")
	appendAcks(c, 1, actions)
	c.mu.Lock()
	c.unlockAndFlush()
	frames := framesOf(t, bytes.Join(nc.writes, nil))
	require.Len(t, frames, 2)
	assert.Equal(t, codec.AppendUnsetVar(nil, codec.ScopeTransaction, "spoke_noop"), frames[0].Payload)
	assert.Equal(t, actions, frames[1].Payload)
}

// Nothing follows the last frame; the agent then waits a second for HAProxy to close.
func TestNothingFollowsTheDisconnect(t *testing.T) {
	for _, half := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			nc := &halfRecorded{}
			var c *conn
			if half {
				c = insideConnOn(t, &Agent{}, &halfCloser{nc})
			} else {
				c = insideConnOn(t, &Agent{}, &closer{&nc.recorded})
			}
			c.disconnect(codec.StatusInvalid, "")
			assert.Equal(t, closing, c.phase())
			c.disconnect(codec.StatusNormal, "")
			c.send(codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN}, false)
			assert.Nil(t, c.out)
			frames := framesOf(t, bytes.Join(nc.writes, nil))
			require.Len(t, frames, 1)
			assert.Equal(t, codec.FlagFIN, frames[0].Flags)
			d, err := codec.ParseDisconnect(frames[0].Payload)
			require.NoError(t, err)
			assert.Equal(t, codec.Disconnect{Status: codec.StatusInvalid, Message: codec.StatusInvalid.String()}, d)
			assert.Equal(t, map[codec.Status]uint64{codec.StatusInvalid: 1}, c.shared.counters.disconnectsSent.snapshot())
			if half {
				assert.Equal(t, []time.Time{time.Now().Add(time.Second)}, nc.deadlines)
				assert.Equal(t, 1, nc.ended)
			} else {
				assert.Equal(t, time.Now(), nc.deadlines[len(nc.deadlines)-1], "nothing is on its way in a pipe")
			}
			c.clock.stop()
		})
	}
}

type halfCloser struct{ *halfRecorded }

func (*halfCloser) Close() error                { return nil }
func (*halfCloser) SetDeadline(time.Time) error { return nil }
func (*halfCloser) RemoteAddr() net.Addr        { return nil }

// send is for a frame that may be the last; its bytes are held until they are written.
func TestSend(t *testing.T) {
	nc := &recorded{}
	c := insideConnOn(t, &Agent{}, &closer{nc})
	f := codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN | codec.FlagABORT, StreamID: 3, FrameID: 4}
	nc.write = func() { assert.Equal(t, len(nc.writes[0]), c.held) }
	c.send(f, false)
	assert.Equal(t, open, c.phase())
	assert.Zero(t, c.held)
	c.send(f, true)
	assert.Equal(t, closing, c.phase())
	frames := framesOf(t, bytes.Join(nc.writes, nil))
	require.Len(t, frames, 2)
	assert.Equal(t, f.Flags, frames[1].Flags)
	assert.EqualValues(t, 3, frames[1].StreamID)
}

// A write that fails breaks the connection: its ACKs, and ACKs that came meanwhile, are in
// flight no longer, and nothing is held.
func TestFailedWrite(t *testing.T) {
	nc := &recorded{err: errors.New("broken")}
	c := insideConnOn(t, &Agent{MaxConcurrent: 10}, &closer{nc})
	inFlight(t, c, 5)
	appendAcks(c, 3, nil)
	nc.write = func() { appendAcks(c, 2, nil) }
	c.mu.Lock()
	c.unlockAndFlush()
	assert.Equal(t, closed, c.phase())
	assert.Error(t, c.ctx.Err())
	assert.Len(t, nc.writes, 1)
	assert.Nil(t, c.out)
	assert.Zero(t, c.outAcks)
	assert.Zero(t, c.held)
	assert.False(t, c.flusher)
	assert.Zero(t, c.shared.counters.inFlight.Load())
	assert.Zero(t, c.shared.counters.acks.Load())
}

// One goroutine writes at a time: bytes that come meanwhile are left to it.
func TestFlusher(t *testing.T) {
	nc := &recorded{}
	c := insideConnOn(t, &Agent{MaxConcurrent: 10}, &closer{nc})
	c.mu.Lock()
	assert.False(t, c.becomeFlusherLocked(), "there is nothing to write")
	c.mu.Unlock()
	inFlight(t, c, 2)
	appendAcks(c, 1, nil)
	nc.write = func() {
		if len(nc.writes) == 1 {
			appendAcks(c, 1, nil)
			c.mu.Lock()
			c.unlockAndFlush()
		}
	}
	c.mu.Lock()
	c.unlockAndFlush()
	assert.Len(t, nc.writes, 2)
	assert.Zero(t, c.held)
	assert.EqualValues(t, 2, c.shared.counters.acks.Load())
}

// The end of a connection drops bytes that no goroutine writes.
func TestBreakDropsOutput(t *testing.T) {
	nc := &recorded{}
	c := insideConnOn(t, &Agent{MaxConcurrent: 10}, &closer{nc})
	inFlight(t, c, 2)
	appendAcks(c, 2, nil)
	c.kill()
	assert.Nil(t, c.out)
	assert.Zero(t, c.outAcks)
	assert.Zero(t, c.outHeld)
	assert.Zero(t, c.shared.counters.inFlight.Load())
	c.mu.Lock()
	c.unlockAndFlush()
	assert.Empty(t, nc.writes)
}

// Write buffers above 64 KiB are left to the garbage collector.
func TestWriteBuffersAreSmall(t *testing.T) {
	for size, kept := range map[int]bool{maxPooled: true, maxPooled + 1: false} {
		b := &buffer{make([]byte, size)}
		putWriteBuffer(b)
		assert.Equal(t, kept, len(b.b) == 0)
	}
}

// The reasons for which reading ends that are no failure.
func TestIsNormalEnd(t *testing.T) {
	assert.True(t, isNormalEnd(io.EOF))
	assert.True(t, isNormalEnd(io.ErrClosedPipe))
	assert.True(t, isNormalEnd(io.ErrUnexpectedEOF))
	assert.True(t, isNormalEnd(net.ErrClosed))
	assert.True(t, isNormalEnd(&net.OpError{Err: syscall.ECONNRESET}))
	assert.True(t, isNormalEnd(&net.OpError{Err: syscall.EPIPE}))
	assert.False(t, isNormalEnd(errors.New("other")))
}
