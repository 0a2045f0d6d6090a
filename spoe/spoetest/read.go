package spoetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spoke-go/spoke/codec"
)

// Next returns the next frame of any type, in the order in which frames came.
// Its payload is the caller's. At the end it fails with io.EOF if the agent
// closed, with io.ErrUnexpectedEOF if it did so within a frame, with the
// connection's error, such as a reset, or with a *codec.Error for a frame that
// HAProxy would refuse: one under 7 bytes or over the size agreed.
func (c *Client) Next(ctx context.Context) (codec.Frame, error) {
	f, err := c.await(ctx, func(*codec.Frame) bool { return true })
	if err != nil {
		return codec.Frame{}, fmt.Errorf("spoetest: awaiting a frame: %w", err)
	}
	return f, nil
}

// Drain reads until the agent ends the connection, and returns the frames that
// came. err is nil if the agent closed it in order, otherwise it is as Next's.
func (c *Client) Drain(ctx context.Context) (frames []codec.Frame, err error) {
	for {
		f, err := c.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return frames, nil
		case err != nil:
			return frames, err
		}
		frames = append(frames, f)
	}
}

// await takes the first frame for which match is true. While one caller reads
// from the connection, others wait for it to find their frame, or to leave.
func (c *Client) await(ctx context.Context, match func(*codec.Frame) bool) (codec.Frame, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	for {
		f, changed, err := c.claim(match)
		if changed == nil {
			return f, err
		}
		select {
		case c.reading <- struct{}{}:
			// Otherwise bytes that came between claim and here would wait for the next
			// ones.
			f, changed, err := c.claim(match)
			if changed == nil {
				<-c.reading
				return f, err
			}
			err = c.receive(ctx)
			<-c.reading
			c.wake()
			if err != nil {
				return codec.Frame{}, err
			}
		case <-changed:
		case <-ctx.Done():
			return codec.Frame{}, context.Cause(ctx)
		}
	}
}

// claim takes the frame from the inbox, or returns why there will be none. If
// it may still come, changed is the channel that tells when to look again.
func (c *Client) claim(match func(*codec.Frame) bool) (f codec.Frame, changed <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.inbox {
		f := c.inbox[i]
		if match(&f) {
			c.inbox = slices.Delete(c.inbox, i, i+1)
			return f, nil, nil
		}
		if f.Type == codec.FrameAgentDisconnect {
			return codec.Frame{}, nil, disconnectError(f)
		}
	}
	if c.end != nil {
		return codec.Frame{}, nil, c.end
	}
	return codec.Frame{}, c.changed, nil
}

// wake makes the waiting goroutines look again.
func (c *Client) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
}

// receive reads one frame into the inbox, or notes the end. It returns an error
// only if ctx ended first; half a frame is kept then. The caller has reading.
func (c *Client) receive(ctx context.Context) error {
	stop := watch(ctx, c.conn.SetReadDeadline)
	defer stop()
	var f codec.Frame
	whole, err := false, error(nil)
	for {
		if f, whole, err = c.cut(); whole || err != nil {
			break
		}
		c.makeRoom()
		var n int
		n, err = c.conn.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+n]
		if err == nil || n > 0 {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == io.EOF && len(c.in) > 0 {
			err = fmt.Errorf("%w after %d bytes of a frame", io.ErrUnexpectedEOF, len(c.in))
		}
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.end = err
		return nil
	}
	c.inbox = append(c.inbox, f)
	return nil
}

// cut takes the first frame off c.in if it is whole.
func (c *Client) cut() (f codec.Frame, whole bool, err error) {
	c.mu.Lock()
	limit := c.limit
	c.mu.Unlock()
	raw, rest, whole, err := codec.CutFrame(c.in, limit)
	if err != nil || !whole {
		return codec.Frame{}, false, err
	}
	if f, err = codec.ParseFrame(raw); err != nil {
		return codec.Frame{}, false, err
	}
	f.Payload = bytes.Clone(f.Payload)
	c.in = rest
	return f, true, nil
}

// minRead is the least space for a read, in bytes.
const minRead = 4 << 10

func (c *Client) makeRoom() {
	if len(c.in) == 0 {
		c.in = c.buf[:0]
	}
	if cap(c.in)-len(c.in) < minRead {
		c.buf = make([]byte, max(2*len(c.in), 4*minRead))
		c.in = c.buf[:copy(c.buf, c.in)]
	}
}
