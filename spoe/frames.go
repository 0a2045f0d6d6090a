package spoe

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/spoke-go/spoke/codec"
)

var (
	// errLast ends a connection on which the last frame has been sent.
	errLast = errors.New("spoe: last frame sent")
	// errClosed ends a connection without a word.
	errClosed = errors.New("spoe: closed")
)

// readFrames handles frames until the connection ends, and returns why.
func (c *conn) readFrames() error {
	for {
		if err := c.onRead(); err != nil { // the hello may have brought more
			return err
		}
		err := c.r.each(c.onRead)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = c.answerAsked()
		}
		if err != nil {
			return err
		}
	}
}

// onRead handles the frames that have been read.
func (c *conn) onRead() error {
	if c.over.Load() {
		return errLast // whatever comes, nobody waits for it
	}
	c.unread.Store(true)
	received := time.Now()
	c.r.answers = false
	for {
		frame, ok, err := c.r.next(c.maxFrameSize)
		if err == nil && ok {
			err = c.frame(frame, received)
		}
		if err != nil {
			c.dispatch() // what came before is answered
			return err
		}
		if !ok {
			break
		}
	}
	c.dispatch()
	c.noteFrames(received)
	c.unread.Store(false)
	return nil
}

// noteFrames tells the watchdog how far reading has come.
func (c *conn) noteFrames(received time.Time) {
	if some := c.fragments.any(); some != c.assembling.Load() {
		c.assembling.Store(some)
	}
	switch {
	case !c.r.partial():
		c.frameSince.Store(never)
		c.lastFrame.Store(since(received))
	case c.frameSince.Load() == never:
		c.frameSince.Store(since(received))
	}
}

// frame handles one frame (§3.2.2).
func (c *conn) frame(b []byte, received time.Time) error {
	f, err := codec.ParseFrame(b)
	if err != nil {
		return err
	}
	if c.frameSince.Load() != never {
		c.frameSince.Store(never) // this one is whole; the next has its own time
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
	return c.notify(f.StreamID, f.FrameID, f.Payload, received)
}

// notify readies a job for a whole payload, which it copies.
func (c *conn) notify(streamID, frameID uint64, payload []byte, received time.Time) error {
	if _, err := codec.CheckMessages(payload); err != nil {
		return err
	}
	j := getJob(c, streamID, frameID, received)
	j.payload = append(j.payload[:0], payload...)
	c.batch.push(j)
	c.r.answers = true
	if c.batch.n >= maxBatch {
		c.dispatch()
	}
	return nil
}

// disconnectFrame answers a HAPROXY-DISCONNECT (§3.2.8): the handlers in flight
// are told to end, as nobody waits for them any more.
func (c *conn) disconnectFrame(f codec.Frame) error {
	d, err := codec.ParseDisconnect(f.Payload)
	if err != nil {
		return err
	}
	c.eng.counters.disconnectsReceived.add(d.Status)
	level := slog.LevelDebug
	if d.Status > codec.StatusTimeout {
		level = slog.LevelWarn
	}
	c.log(level, "HAProxy disconnected", slog.Uint64("status", uint64(d.Status)), slog.String("message", d.Message))
	c.dispatch()
	c.cancel()
	c.disconnect(codec.StatusNormal, "")
	return errLast
}
