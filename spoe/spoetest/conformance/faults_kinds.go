package conformance

import (
	"context"
	"time"

	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// fault is one thing that a HAProxy, or whatever else has found the port, may
// do. Errors of writes are left alone: the agent is free to close meanwhile.
type fault struct {
	name       string
	afterHello bool
	do         func(ctx context.Context, w *faultyClient, c *spoetest.Client)
}

var faults = []fault{
	{"in order, cut at random", false, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		const pieces = 50 // so that the pauses stay well under the agent's timeouts
		c.Segments(func(b []byte) (int, time.Duration) {
			pause := time.Duration(0)
			if w.rng.IntN(10) == 0 {
				pause = w.pause() / pieces
			}
			return 1 + w.rng.IntN(1+len(b)/5), pause
		})
		if _, err := c.Handshake(ctx, spoetest.DefaultHello()); err != nil {
			if ctx.Err() == nil {
				w.wrong("handshake cut at random: %v", err)
			}
			return
		}
		n := 1 + w.rng.IntN(20)
		if err := c.Write(ctx, w.notifies(n)); err == nil {
			w.answers(ctx, c, n)
		}
	}},
	{"in order, in fragments", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		if err := c.WriteFrames(ctx, spoetest.Fragments(at(0, 1), w.payload, 1+w.rng.IntN(1+len(w.payload)))...); err == nil {
			w.answers(ctx, c, 1)
		}
	}},
	{"connects and closes", false, func(context.Context, *faultyClient, *spoetest.Client) {}},
	{"connects and says nothing", false, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = sleep.For(ctx, w.pause())
	}},
	{"half a hello", false, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		w.half(ctx, c, codec.AppendFrame(nil, helloFrame(spoetest.DefaultHello())))
	}},
	{"half a frame", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) { w.half(ctx, c, w.notifies(1)) }},
	{"random bytes", false, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = c.Write(ctx, w.random(1+w.rng.IntN(2000)))
		w.aftermath(ctx, c)
	}},
	{"random bytes after the hello", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = c.Write(ctx, append(w.notifies(w.rng.IntN(3)), w.random(1+w.rng.IntN(2000))...))
		w.aftermath(ctx, c)
	}},
	{"random payload", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		types := []codec.FrameType{0, 1, 2, 3, 4, 101, 102, 103, 255}
		_ = c.WriteFrames(ctx, codec.Frame{
			Type: types[w.rng.IntN(len(types))], Flags: codec.Flags(w.rng.Uint32N(4)),
			StreamID: w.rng.Uint64(), FrameID: w.rng.Uint64(), Payload: w.random(w.rng.IntN(300)),
		})
		w.aftermath(ctx, c)
	}},
	{"bits flipped", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		b := w.notifies(1 + w.rng.IntN(5))
		for range 1 + w.rng.IntN(4) {
			b[w.rng.IntN(len(b))] ^= 1 << w.rng.IntN(8)
		}
		_ = c.Write(ctx, b)
		w.aftermath(ctx, c)
	}},
	{"reset with NOTIFYs in flight", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = c.Write(ctx, w.notifies(1+w.rng.IntN(50)))
		_ = sleep.For(ctx, w.pause()/50)
	}},
	{"closed with NOTIFYs in flight", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = c.Write(ctx, w.notifies(1+w.rng.IntN(50)))
		_ = c.CloseWrite() // reset in the end where that is not possible
		w.aftermath(ctx, c)
	}},
	{"DISCONNECT with NOTIFYs in flight", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		bye := codec.AppendFrame(nil, spoetest.DisconnectFrame(codec.Disconnect{Status: codec.Status(w.rng.IntN(14)), Message: "bye"}))
		_ = c.Write(ctx, append(w.notifies(w.rng.IntN(20)), bye...))
		w.aftermath(ctx, c)
	}},
	{"does not read its ACKs", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		short, cancel := context.WithTimeout(ctx, w.pause())
		defer cancel()
		b := w.notifies(100)
		for range 10 {
			if c.Write(short, b) != nil {
				break
			}
		}
		_ = sleep.For(ctx, w.pause())
	}},
	{"fragments that never end", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		for i := range uint64(1 + w.rng.IntN(20)) {
			_ = c.WriteFrames(ctx, spoetest.Fragments(at(i, 1), w.random(1+w.rng.IntN(5000)), 1000)[0])
		}
		w.aftermath(ctx, c)
	}},
	{"fragments of nothing", true, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = c.WriteFrames(ctx, codec.Frame{Flags: codec.Flags(w.rng.Uint32N(4)), StreamID: w.rng.Uint64N(3), FrameID: 1})
		w.aftermath(ctx, c)
	}},
	{"health check, not awaited", false, func(ctx context.Context, w *faultyClient, c *spoetest.Client) {
		_ = c.WriteFrames(ctx, helloFrame(spoetest.HealthCheckHello()))
		_ = sleep.For(ctx, w.pause()/10)
	}},
}

// half sends a part of b, waits, and now and then goes on after all.
func (w *faultyClient) half(ctx context.Context, c *spoetest.Client, b []byte) {
	n := w.rng.IntN(len(b))
	_ = c.Write(ctx, b[:n])
	_ = sleep.For(ctx, w.pause())
	if w.rng.IntN(3) == 0 {
		_ = c.Write(ctx, b[n:])
		w.aftermath(ctx, c)
	}
}

func (w *faultyClient) random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rng.Uint32())
	}
	return b
}
