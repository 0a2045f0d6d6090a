package recording

import (
	"context"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Outcome is the result of one Exchange.
type Outcome struct {
	Exchange
	Got  []byte        // the payload of the ACK, this time
	Now  time.Duration // how long it took, this time
	Skip string        // why it was not sent
	// Err is the mistake: no ACK, or an ACK with other actions than the recorded one.
	// Integers of another type are the same to HAProxy, and here.
	Err error
}

// Replay sends the NOTIFYs of a recording to an agent in their order, each on a
// connection of its own as it was recorded and with its ids, and hands each
// outcome to done. The next is sent when the one before is acknowledged; with
// pace, not before its time either. It fails where an agent cannot be reached or
// refuses a hello. The actions on the variables in ignore, such as txn.request_id, are
// not compared.
func Replay(ctx context.Context, d *spoetest.Dialer, network, addr string, r *Recording, pace bool, ignore []string, done func(Outcome)) error {
	exchanges, err := r.Exchanges()
	if err != nil {
		return err
	}
	conns := map[int]*spoetest.Client{}
	defer func() {
		for _, c := range conns {
			_ = c.Close() // everything was read
		}
	}()
	begin := time.Now()
	for _, e := range exchanges {
		if pace {
			if err := sleep.For(ctx, e.At-exchanges[0].At-time.Since(begin)); err != nil {
				return err
			}
		}
		c := conns[e.Conn]
		if c == nil {
			if c, err = connect(ctx, d, network, addr, r.Hello(e.Conn)); err != nil {
				return fmt.Errorf("connection %d: %w", e.Conn, err)
			}
			conns[e.Conn] = c
		}
		o := send(ctx, c, e, ignore)
		if o.Err != nil { // the connection may be in any state
			if ctx.Err() != nil {
				return ctx.Err()
			}
			_ = c.Close()
			delete(conns, e.Conn)
		}
		done(o)
	}
	return nil
}

// connect does the handshake as it was recorded.
func connect(ctx context.Context, d *spoetest.Dialer, network, addr string, hello []byte) (*spoetest.Client, error) {
	h, err := codec.ParseHAProxyHello(hello)
	if err != nil || h.Healthcheck {
		return d.Dial(ctx, network, addr)
	}
	c, err := d.Connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.HandshakeRaw(ctx, hello, h.MaxFrameSize); err != nil {
		_ = c.Close() // the handshake's error matters more
		return nil, err
	}
	return c, nil
}

// headerRoom is more than the longest header of a frame.
const headerRoom = 32

// Frames returns the NOTIFY with a payload, in fragments if it is longer than the frames
// that the agent takes. Without fragmentation HAProxy would not send it.
func Frames(h codec.AgentHello, id spoetest.ID, payload []byte) ([]codec.Frame, error) {
	size := int(h.MaxFrameSize) - headerRoom
	switch {
	case len(payload) <= size:
		return []codec.Frame{spoetest.NotifyFrame(id, payload)}, nil
	case !h.Has(codec.CapFragmentation):
		return nil, fmt.Errorf("the message has %d bytes, the agent takes frames of %d and no fragments: HAProxy would not send it (st=3)", len(payload), h.MaxFrameSize)
	}
	return spoetest.Fragments(id, payload, size), nil
}

func send(ctx context.Context, c *spoetest.Client, e Exchange, ignore []string) Outcome {
	o := Outcome{Exchange: e}
	id := spoetest.ID{Stream: e.Stream, Frame: e.Frame}
	frames, err := Frames(c.AgentHello(), id, e.Notify)
	if err != nil {
		o.Skip = err.Error()
		return o
	}
	begin := time.Now()
	if o.Err = c.WriteFrames(ctx, frames...); o.Err != nil {
		return o
	}
	ack, err := c.Ack(ctx, id)
	o.Now = time.Since(begin)
	switch {
	case err != nil:
		o.Err = err
		return o
	case !e.Acked:
		o.Skip = "it has no ACK in the recording"
	default:
		o.Err = load.SameActions(ack.Payload, e.Ack, ignore...)
	}
	o.Got = ack.Payload
	return o
}
