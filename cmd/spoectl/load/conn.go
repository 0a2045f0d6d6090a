//go:build linux

package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

var errClosed = errors.New("the agent closed the connection")

// conn is HAProxy's side of one connection.
type conn struct {
	sock     socket
	messages []Message
	next     int // of messages
	failure  *FailureVar

	// slots are the NOTIFYs in flight, free the slots without one.
	slots []slot
	free  []int

	in   []byte // in[:have] is read and not yet parsed
	have int
	out  []byte // bytes not yet written
}

// slot is the place of one NOTIFY in flight. Its stream-id is used*slots plus
// its number: it tells the slot, and never comes twice on a connection.
type slot struct {
	used    uint64 // times this slot was used before
	busy    bool
	due     int64 // when it was meant to leave, in nanoseconds of the caller's clock
	sent    int64 // when it was handed to the socket, in the same
	message int
	outcome outcome // of the last ACK
}

func open(ctx context.Context, c *Config, first, bufSize int) (*conn, error) {
	sock, err := dial(ctx, c)
	if err != nil {
		return nil, err
	}
	k := &conn{
		sock:     sock,
		messages: c.Messages,
		failure:  c.Failure,
		next:     first % len(c.Messages),
		in:       make([]byte, bufSize),
		slots:    make([]slot, c.InFlight),
	}
	for i := range c.InFlight {
		k.free = append(k.free, c.InFlight-1-i)
	}
	if err := k.hello(c); err != nil {
		sock.reset()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return k, nil
}

func openAll(ctx context.Context, c *Config, bufSize int) ([]*conn, error) {
	var conns []*conn
	for i := range c.Conns {
		k, err := open(ctx, c, i, bufSize)
		if err != nil {
			closeAll(conns)
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
		conns = append(conns, k)
	}
	return conns, nil
}

// closeAll resets the open connections.
func closeAll(conns []*conn) {
	for _, k := range conns {
		if k.sock >= 0 {
			k.sock.reset()
			k.sock = -1
		}
	}
}

// notify appends a NOTIFY to the output; a slot must be free.
func (k *conn) notify(due, now int64) {
	n := k.free[len(k.free)-1]
	k.free = k.free[:len(k.free)-1]
	s := &k.slots[n]
	s.busy, s.due, s.sent, s.message = true, due, now, k.next
	start := len(k.out)
	k.out = codec.BeginFrame(k.out, codec.FrameNotify, codec.FlagFIN, k.streamID(n), frameID(n))
	k.out = codec.FinishFrame(append(k.out, k.messages[k.next].Notify...), start)
	if k.next++; k.next == len(k.messages) {
		k.next = 0
	}
}

func (k *conn) streamID(n int) uint64 { return k.slots[n].used*uint64(len(k.slots)) + uint64(n) }

func frameID(n int) uint64 { return uint64(n) + 1 }

// flush writes as much as it can and keeps the rest.
func (k *conn) flush() error {
	n, err := k.sock.write(k.out)
	k.out = k.out[:copy(k.out, k.out[n:])]
	return err
}

// receive reads up to limit bytes once, n of them, and calls acked for each ACK
// that they end, with its NOTIFY.
func (k *conn) receive(limit int, acked func(s *slot)) (n int, err error) {
	if n, err = k.sock.read(k.in[k.have:min(k.have+limit, len(k.in))]); err != nil {
		return 0, err
	}
	k.have += n
	b := k.in[:k.have]
	for {
		raw, rest, whole, err := codec.CutFrame(b, uint32(len(k.in)-codec.LengthSize))
		if err != nil {
			return n, err
		}
		if !whole {
			break
		}
		f, err := codec.ParseFrame(raw)
		if err != nil {
			return n, err
		}
		s, err := k.ack(f)
		if err != nil {
			return n, err
		}
		acked(s)
		b = rest
	}
	k.have = copy(k.in, b)
	return n, nil
}

// ack checks an ACK and frees its slot.
func (k *conn) ack(f codec.Frame) (*slot, error) {
	if f.Type != codec.FrameAck || f.Flags != codec.FlagFIN {
		return nil, fmt.Errorf("%s with flags %d instead of an ACK%s", f.Type, f.Flags, reason(f))
	}
	n := int(f.StreamID % uint64(len(k.slots)))
	s := &k.slots[n]
	if !s.busy || f.StreamID != k.streamID(n) || f.FrameID != frameID(n) {
		return nil, fmt.Errorf("an ACK for stream-id %d, frame-id %d, which is not in flight", f.StreamID, f.FrameID)
	}
	if m := &k.messages[s.message]; m.Check && !bytes.Equal(f.Payload, m.Ack) {
		if err := SameActions(f.Payload, m.Ack); err != nil {
			return nil, err
		}
	}
	s.outcome = outcomeOf(f.Payload, k.failure)
	s.busy = false
	s.used++
	k.free = append(k.free, n)
	return s, nil
}

func (k *conn) busy() int { return len(k.slots) - len(k.free) }
