package spoe

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// messages is a payload with n messages named a, b, c, ….
func messages(n int) (payload []byte) {
	for i := range n {
		payload = append(payload, 1, 'a'+byte(i%26), 0)
	}
	return payload
}

// A job knows the name of its first message and the places of the first eight.
func TestParse(t *testing.T) {
	c, _ := insideConn(t, &Agent{MaxMessages: 12})
	for n, status := range map[int]codec.Status{0: 0, 1: 0, 8: 0, 9: 0, 12: 0, 13: codec.StatusNoResource} {
		j := c.getJob(1, 1, time.Now())
		j.payload = messages(n)
		err := j.parse()
		if status != 0 {
			var bad *codec.Error
			require.ErrorAs(t, err, &bad, n)
			assert.Equal(t, status, bad.Status)
			assert.Contains(t, bad.Reason, "NOTIFY with 13 messages; Agent.MaxMessages allows 12")
			continue
		}
		require.NoError(t, err)
		assert.Len(t, j.msgs, min(n, 8))
		assert.Equal(t, n > 8, j.unparsed)
		assert.Equal(t, n > 0, j.name == "a")
	}
	j := c.getJob(1, 1, time.Now())
	j.payload = append(messages(20), 1, 'x')
	var bad *codec.Error
	require.ErrorAs(t, j.parse(), &bad)
	assert.Equal(t, codec.StatusInvalid, bad.Status, "malformed, whatever else")
}

// A name is made once for the messages that have it one after the other.
func TestConnName(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	assert.Equal(t, "a", c.name([]byte("a")))
	assert.Equal(t, "a", c.lastName)
	assert.Zero(t, testing.AllocsPerRun(10, func() { c.name([]byte("a")) }))
	assert.Equal(t, "b", c.name([]byte("b")))
	long := strings.Repeat("x", 200) // too long to be kept by the agent
	assert.Equal(t, long, c.name([]byte(long)))
	b := []byte(long)
	assert.Zero(t, testing.AllocsPerRun(10, func() { c.name(b) }))
}

// The clock learns since when part of a frame or of a payload waits for its rest.
func TestNoteFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := insideConn(t, &Agent{ReadTimeout: time.Second})
		defer c.clock.stop()
		k := &c.clock
		time.Sleep(time.Minute)
		at := now()
		c.noteFrames(time.Now())
		assert.Equal(t, at, k.lastFrame.Load())
		assert.EqualValues(t, never, k.frameSince.Load())
		assert.Equal(t, at+int64(lookForEnd), k.due.Load())

		k.due.Store(never)
		time.Sleep(time.Minute)
		c.r.to = 3
		c.noteFrames(time.Now())
		assert.Equal(t, at, k.lastFrame.Load(), "no frame came")
		assert.Equal(t, now(), k.frameSince.Load())
		assert.Equal(t, now()+int64(time.Second), k.due.Load())
		at = now()
		time.Sleep(time.Second / 2)
		c.noteFrames(time.Now())
		assert.Equal(t, at, k.frameSince.Load(), "since its first byte")
		assert.Equal(t, at+int64(time.Second), k.due.Load())
		c.r.to = 0
		c.noteFrames(time.Now())
		assert.EqualValues(t, never, k.frameSince.Load())

		k.payloadSince.Store(5)
		c.fragments = fragments{{1, 1}: new(fragmented)}
		c.noteFrames(time.Now())
		assert.EqualValues(t, 5, k.payloadSince.Load())
		c.fragments = fragments{}
		c.noteFrames(time.Now())
		assert.EqualValues(t, never, k.payloadSince.Load())
	})
}

// received puts frames into the read buffer, with more behind them.
func received(c *conn, more []byte, frames ...codec.Frame) {
	var b []byte
	for _, f := range frames {
		b = codec.AppendFrame(b, f)
	}
	b = append(b, more...)
	c.r.buf, c.r.from, c.r.to = &buffer{b}, 0, len(b)
}

// The reader pays for all frames of a read before it copies them, and returns what they do
// not need.
func TestOnRead(t *testing.T) {
	c, peer := insideConn(t, &Agent{})
	defer peer.Close()
	noWorkers(c)
	notify := codec.Frame{Type: codec.FrameNotify, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: insidePayload(100)}
	unknown := codec.Frame{Type: 99, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: make([]byte, 100)}
	c.spare = new(job)
	received(c, []byte{0}, unknown, notify, notify)
	require.NoError(t, c.onRead())
	assert.Equal(t, 2, c.jobs.n)
	assert.True(t, c.r.answers)
	assert.False(t, c.unread.Load())
	assert.True(t, c.r.partial())
	assert.NotEqualValues(t, never, c.clock.frameSince.Load())
	assert.Equal(t, 200, c.held)
	assert.Zero(t, c.reserved)
	assert.Nil(t, c.spare)

	received(c, nil, unknown)
	require.NoError(t, c.onRead())
	assert.False(t, c.r.answers)
	assert.Zero(t, c.reserved)
	assert.EqualValues(t, never, c.clock.frameSince.Load())

	// NOTIFYs before a malformed frame are answered.
	received(c, nil, notify, codec.Frame{Type: codec.FrameHAProxyHello, Flags: codec.FlagFIN})
	err := c.onRead()
	var bad *codec.Error
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, codec.StatusInvalid, bad.Status)
	assert.Contains(t, bad.Reason, "second HAPROXY-HELLO")
	assert.Equal(t, 3, c.jobs.n)
	assert.True(t, c.unread.Load())

	// A large frame that is on its way is paid for.
	received(c, announced(100_000, 10))
	require.NoError(t, c.onRead())
	assert.Equal(t, 200_000, c.growing)

	c.mu.Lock()
	c.setPhaseLocked(closing)
	c.mu.Unlock()
	received(c, nil, notify)
	assert.Equal(t, errLast, c.onRead())
	assert.Equal(t, 3, c.jobs.n)
}

// A whole frame ends the time of the frame before it.
func TestFrameEndsFrameTime(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	c.clock.frameSince.Store(7)
	b := codec.AppendFrame(nil, codec.Frame{Type: 99, Flags: codec.FlagFIN})
	require.NoError(t, c.frame(b[codec.LengthSize:], time.Now()))
	assert.EqualValues(t, never, c.clock.frameSince.Load())
	assert.Error(t, c.frame(nil, time.Now()))
}

func fragment(kind codec.FrameType, flags codec.Flags, stream uint64, payload string) codec.Frame {
	return codec.Frame{Type: kind, Flags: flags, StreamID: stream, FrameID: 1, Payload: []byte(payload)}
}

// A fragmented payload is held until its NOTIFY is answered or aborted.
func TestFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := insideConn(t, &Agent{MaxPayload: 10, ReadTimeout: time.Second})
		defer c.clock.stop()
		noWorkers(c)
		first := func(f codec.Frame) error { return c.notifyFrame(f, time.Now()) }
		next := func(f codec.Frame) error { return c.fragmentFrame(f, time.Now()) }
		status := func(err error) codec.Status {
			var bad *codec.Error
			require.ErrorAs(t, err, &bad)
			return bad.Status
		}
		aborted := func() int { return int(c.shared.counters.aborted.Load()) }
		assert.False(t, c.fragments.any())
		time.Sleep(time.Minute)
		require.NoError(t, first(fragment(codec.FrameNotify, 0, 1, "\x01m")))
		assert.True(t, c.fragments.any())
		assert.Equal(t, 2, c.held)
		assert.EqualValues(t, 1, c.fragmentsSeen.Load())
		assert.Equal(t, now(), c.clock.payloadSince.Load())
		assert.Equal(t, now()+int64(time.Second), c.clock.due.Load())

		assert.Equal(t, codec.StatusInterlaced, status(first(fragment(codec.FrameNotify, 0, 1, "x"))))
		assert.Equal(t, codec.StatusInterlaced, status(first(fragment(codec.FrameNotify, codec.FlagFIN, 1, "x"))))
		assert.Equal(t, codec.StatusNoFrameID, status(next(fragment(codec.FrameUnset, 0, 2, "x"))))

		require.NoError(t, next(fragment(codec.FrameUnset, 0, 1, "")))
		assert.Equal(t, 1, len(c.fragments))
		require.NoError(t, next(fragment(codec.FrameUnset, codec.FlagFIN, 1, "\x00")))
		assert.False(t, c.fragments.any())
		c.dispatch()
		require.Equal(t, 1, c.jobs.n)
		assert.Equal(t, "\x01m\x00", string(c.jobs.first.payload))
		assert.Equal(t, "m", c.jobs.first.name)
		assert.True(t, c.jobs.first.held)
		assert.Equal(t, 3, c.held)

		// HAProxy may give a payload up.
		require.NoError(t, first(fragment(codec.FrameNotify, 0, 5, "abcd")))
		assert.Equal(t, 7, c.held)
		require.NoError(t, next(fragment(codec.FrameUnset, codec.FlagFIN|codec.FlagABORT, 5, "")))
		assert.Equal(t, 3, c.held)
		assert.Equal(t, 1, aborted())
		assert.False(t, c.fragments.any())
		require.NoError(t, first(fragment(codec.FrameNotify, codec.FlagABORT, 5, "")))
		assert.Equal(t, 2, aborted())
		assert.False(t, c.fragments.any())

		// Beyond MaxPayload, the rest is passed over.
		require.NoError(t, first(fragment(codec.FrameNotify, 0, 6, "0123456789")))
		assert.Equal(t, 13, c.held)
		abort := make(chan []byte, 1)
		go func() {
			b := make([]byte, 100)
			n, _ := peer.Read(b)
			abort <- b[:n]
		}()
		require.NoError(t, next(fragment(codec.FrameUnset, 0, 6, "x")))
		frames := framesOf(t, <-abort)
		require.Len(t, frames, 1)
		assert.Equal(t, codec.FrameAck, frames[0].Type)
		assert.Equal(t, codec.FlagFIN|codec.FlagABORT, frames[0].Flags)
		assert.EqualValues(t, 6, frames[0].StreamID)
		assert.EqualValues(t, 1, frames[0].FrameID)
		assert.Equal(t, 3, c.held)
		assert.Equal(t, 3, aborted())
		time.Sleep(500 * time.Millisecond)
		require.NoError(t, next(fragment(codec.FrameUnset, 0, 6, "0123456789")))
		assert.Equal(t, 3, c.held)
		assert.Equal(t, now(), c.clock.payloadSince.Load(), "a skipped one has to come, too")
		whole := fragment(codec.FrameNotify, codec.FlagFIN, 6, "\x01m\x00")
		require.NoError(t, first(whole), "a new payload in place of the aborted one")
		assert.False(t, c.fragments.any())
		require.NoError(t, first(fragment(codec.FrameNotify, 0, 6, "a")))
		assert.Equal(t, 4, c.held)
		require.NoError(t, next(fragment(codec.FrameUnset, codec.FlagABORT, 6, "")))

		// A malformed payload is no job.
		require.NoError(t, first(fragment(codec.FrameNotify, 0, 7, "\x01")))
		assert.Equal(t, codec.StatusInvalid, status(next(fragment(codec.FrameUnset, codec.FlagFIN, 7, ""))))
		c.dispatch()
		assert.Equal(t, 2, c.jobs.n)
		assert.Equal(t, codec.StatusInvalid, status(first(fragment(codec.FrameNotify, codec.FlagFIN, 8, "\x01"))))
		c.dispatch()
		assert.Equal(t, 2, c.jobs.n)

		for i := range uint64(maxFragmented) {
			require.NoError(t, first(fragment(codec.FrameNotify, 0, 100+i, "")))
		}
		assert.Equal(t, codec.StatusInterlaced, status(first(fragment(codec.FrameNotify, 0, 99, ""))))
		require.NoError(t, first(fragment(codec.FrameNotify, codec.FlagFIN, 98, "\x01m\x00")), "a whole one is fine")
		c.clock.stop()
	})
}

// The end of a connection ends the wait of a fragment for its bytes, and of an ABORT for its
// place.
func TestFragmentsEnd(t *testing.T) {
	c, peer := insideConn(t, &Agent{MaxPayload: 2 * grant})
	defer peer.Close()
	require.NoError(t, c.notifyFrame(fragment(codec.FrameNotify, 0, 1, "\x01m"), time.Now()))
	c.kill()
	assert.Equal(t, errLast, c.fragmentFrame(fragment(codec.FrameUnset, 0, 1, strings.Repeat("x", grant)), time.Now()))
	assert.Equal(t, errLast, c.fragmentFrame(fragment(codec.FrameUnset, 0, 1, strings.Repeat("x", 2*grant)), time.Now()))
}

// A DISCONNECT of HAProxy's ends the handlers' contexts, and NOTIFYs that came with it are
// counted.
func TestDisconnectFrame(t *testing.T) {
	for status, level := range map[codec.Status]string{0: "", 1: "", 2: "NOTIFYs in flight", 3: "HAProxy disconnected"} {
		nc := &recorded{}
		c := insideConnOn(t, &Agent{}, &closer{nc})
		log := logged(c)
		noWorkers(c)
		enqueued(c, 1, 1)
		d := codec.Disconnect{Status: status, Message: "m"}
		assert.Equal(t, errLast, c.disconnectFrame(codec.Frame{Type: codec.FrameHAProxyDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)}))
		assert.Error(t, c.ctx.Err())
		assert.Equal(t, closing, c.phase())
		assert.Equal(t, 1, c.jobs.n)
		assert.Equal(t, map[codec.Status]uint64{status: 1}, c.shared.counters.disconnectsReceived.snapshot())
		assert.Equal(t, map[codec.Status]uint64{0: 1}, c.shared.counters.disconnectsSent.snapshot())
		lines := log()
		if level == "" {
			assert.NotContains(t, lines, "WARN")
			assert.Contains(t, lines, "HAProxy disconnected")
		} else {
			assert.Contains(t, lines, "level=WARN")
			assert.Contains(t, lines, level)
		}
		assert.Equal(t, status == 2, strings.Contains(lines, "in_flight=1"))
		assert.Error(t, c.disconnectFrame(codec.Frame{Payload: []byte{1}}))
	}
}
