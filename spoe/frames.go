package spoe

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
)

var (
	// errLast ends a connection after its last frame.
	errLast = errors.New("spoe: last frame sent")
	// errRest ends the reading of a connection that is quiet.
	errRest = errors.New("spoe: quiet")
	// errClosed ends a connection without a frame.
	errClosed = errors.New("spoe: closed")
)

// readFrames handles frames until the connection ends, and returns the reason. err is
// the error of the last read, which may have left bytes.
func (c *conn) readFrames(err error) error {
	for {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = c.answerAsked()
		}
		if err == nil {
			err = c.onRead()
		}
		if err != nil {
			return err
		}
		err = c.r.each(c.onRead)
	}
}

// onRead handles the frames in the read buffer.
func (c *conn) onRead() error {
	if c.phase() >= closing {
		return errLast // no goroutine waits for later frames
	}
	c.unread.Store(true)
	if err := c.reserveRead(); err != nil {
		return err
	}
	received := time.Now()
	c.r.answers = false
	for {
		frame, ok, err := c.r.next(c.maxFrameSize)
		if err == nil && ok {
			err = c.frame(frame, received)
		}
		if err != nil {
			c.dispatch() // earlier NOTIFYs are answered
			return err
		}
		if !ok {
			break
		}
	}
	c.giveJobs()
	c.dispatch()
	if !c.r.answers {
		c.unreserve()
	}
	c.noteFrames(received)
	c.unread.Store(false)
	return c.reserveFrame()
}

// noteFrames tells the clock how far reading came.
func (c *conn) noteFrames(received time.Time) {
	k, t := &c.clock, since(received)
	if !c.fragments.any() && k.payloadSince.Load() != never {
		k.payloadSince.Store(never)
	}
	switch {
	case !c.r.partial():
		k.frameSince.Store(never)
		k.lastFrame.Store(t)
		k.arm(t + int64(lookForEnd))
	case k.frameSince.Load() == never:
		k.frameSince.Store(t)
		k.arm(t + int64(c.shared.read))
	}
}

// frame handles one frame (§3.2.2).
func (c *conn) frame(b []byte, received time.Time) error {
	f, err := codec.ParseFrame(b)
	if err != nil {
		return err
	}
	if c.clock.frameSince.Load() != never {
		c.clock.frameSince.Store(never) // this one is whole; the next has its own time
	}
	switch f.Type {
	case codec.FrameNotify:
		return c.notifyFrame(f, received)
	case codec.FrameUnset:
		return c.fragmentFrame(f, received)
	case codec.FrameHAProxyDisconnect:
		return c.disconnectFrame(f)
	case codec.FrameHAProxyHello:
		return invalid("second HAPROXY-HELLO")
	}
	return nil // §3.2.2: unknown frames may be skipped
}

// notifyFrame takes a NOTIFY, or the first fragment of one.
func (c *conn) notifyFrame(f codec.Frame, received time.Time) error {
	if c.fragments.any() || !f.FIN() {
		whole, err := c.firstFragment(f)
		if err != nil || !whole {
			return err
		}
	}
	j := c.getJob(f.StreamID, f.FrameID, received)
	j.copyPayload(f.Payload)
	if err := j.parse(); err != nil {
		dropJob(j)
		return err
	}
	c.chargeLarge(j)
	c.enqueue(j)
	return nil
}

// enqueue adds a job to the batch.
func (c *conn) enqueue(j *job) {
	c.batch.push(j)
	c.r.answers = true
	if c.batch.n >= maxBatch || c.batched >= maxBatchBytes {
		c.dispatch()
	}
}

// maxParsed is for how many messages of a NOTIFY a job remembers where they are.
// HAProxy seldom sends more, and each takes 64 bytes, which no budget counts.
const maxParsed = 8

// parse finds the messages in the payload. It refuses a payload that is malformed,
// or holds more messages than Agent.MaxMessages.
func (j *job) parse() error {
	msgs, n := codec.NewMessages(j.payload), 0
	for ; msgs.Next(); n++ {
		if n < maxParsed {
			j.msgs = append(j.msgs, msgs.Message())
		}
	}
	j.unparsed = n > maxParsed
	if n > 0 {
		j.name = j.c.name(j.msgs[0].Name)
	}
	if most := j.c.shared.maxMessages; msgs.Err() == nil && n > most {
		return &codec.Error{Status: codec.StatusNoResource, Reason: fmt.Sprintf(
			"NOTIFY with %d messages; Agent.MaxMessages allows %d", n, most)}
	}
	return msgs.Err()
}

// name returns b as a string. Most NOTIFYs have the message of the one before.
func (c *conn) name(b []byte) string {
	if string(b) != c.lastName {
		c.lastName = c.shared.names.Get(b)
	}
	return c.lastName
}

// disconnectFrame answers a HAPROXY-DISCONNECT (§3.2.8). It ends the contexts of the
// handlers in flight, because HAProxy no longer waits for them.
func (c *conn) disconnectFrame(f codec.Frame) error {
	d, err := codec.ParseDisconnect(f.Payload)
	if err != nil {
		return err
	}
	c.shared.counters.disconnectsReceived.add(d.Status)
	c.dispatch()
	c.mu.Lock()
	n := c.jobs.n + c.acking
	c.mu.Unlock()
	attrs := []slog.Attr{slog.Uint64("status", uint64(d.Status)), slog.String("message", safetext.Clip(d.Message, maxText))}
	switch {
	case d.Status == codec.StatusTimeout && n > 0:
		c.complain("HAProxy disconnected with NOTIFYs in flight; compare its timeouts with what handlers take", append(attrs, slog.Int("in_flight", n))...)
	case d.Status > codec.StatusTimeout:
		c.complain("HAProxy disconnected", attrs...)
	default:
		c.log(slog.LevelDebug, "HAProxy disconnected", attrs...)
	}
	c.cancel()
	c.disconnect(codec.StatusNormal, "")
	return errLast
}
