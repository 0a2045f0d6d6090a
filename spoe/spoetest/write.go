package spoetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/sleep"
)

// A Segmenter says how the next bytes are written: the first n of b in one
// write, then nothing for pause. n is held to 1…len(b).
type Segmenter func(b []byte) (n int, pause time.Duration)

// SegmentsOf returns a Segmenter that writes n bytes at a time with a pause
// after each write.
func SegmentsOf(n int, pause time.Duration) Segmenter {
	return func([]byte) (int, time.Duration) { return n, pause }
}

// Segments makes all later writes go through s; nil writes in one piece again.
// TCP may join segments between which there is no pause.
func (c *Client) Segments(s Segmenter) {
	c.writing <- struct{}{}
	c.segment = s
	<-c.writing
}

// Write writes raw bytes. It fails with the connection's error, or when ctx
// ends or the Client's timeout is over, in which case a part was written.
func (c *Client) Write(ctx context.Context, b []byte) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if err := take(ctx, c.writing); err != nil {
		return fmt.Errorf("spoetest: writing %d bytes: %w", len(b), err)
	}
	defer func() { <-c.writing }()
	stop := watch(ctx, c.conn.SetWriteDeadline)
	defer stop()
	for rest := b; len(rest) > 0; {
		n, pause := len(rest), time.Duration(0)
		if c.segment != nil {
			n, pause = c.segment(rest)
			n = min(max(n, 1), len(rest))
		}
		done, err := c.conn.Write(rest[:n])
		rest = rest[done:]
		if err == nil {
			err = sleep.For(ctx, pause)
		} else if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("spoetest: %d of %d bytes written: %w", len(b)-len(rest), len(b), err)
		}
	}
	return nil
}

// WriteFrames writes frames as they are, all in one write but for Segments. They are not
// checked.
func (c *Client) WriteFrames(ctx context.Context, frames ...codec.Frame) error {
	var b []byte
	for _, f := range frames {
		b = codec.AppendFrame(b, f)
	}
	return c.Write(ctx, b)
}
