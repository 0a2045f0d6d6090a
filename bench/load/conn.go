package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spoke-go/spoke/bench/internal/shape"
	"github.com/spoke-go/spoke/codec"
)

var errClosed = errors.New("the agent closed the connection")

// conn is HAProxy's side of one connection.
type conn struct {
	sock  socket
	shape shape.Shape

	// slots are the NOTIFYs in flight, free the slots without one.
	slots []slot
	free  []int

	in   []byte // in[:have] has been read and not yet understood
	have int
	out  []byte // what is still to be written
}

// slot is the place of one NOTIFY in flight. Its stream-id is used*slots plus
// its number: it tells the slot, and never comes twice on a connection.
type slot struct {
	used  uint64 // times this slot was used before
	busy  bool
	since int64 // nanoseconds, of the caller's clock
}

func open(c config, bufSize int) (*conn, error) {
	sock, err := dial(c.addr)
	if err != nil {
		return nil, err
	}
	k := &conn{sock: sock, shape: c.shape, in: make([]byte, bufSize)}
	k.slots = make([]slot, c.inFlight)
	for i := range c.inFlight {
		k.free = append(k.free, c.inFlight-1-i)
	}
	if err := k.hello(); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return k, nil
}

func openAll(c config, bufSize int) ([]*conn, error) {
	conns := make([]*conn, c.conns)
	for i := range conns {
		var err error
		if conns[i], err = open(c, bufSize); err != nil {
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	return conns, nil
}

// notify appends a NOTIFY to what is to be written; a slot must be free.
func (k *conn) notify(now int64) {
	n := k.free[len(k.free)-1]
	k.free = k.free[:len(k.free)-1]
	s := &k.slots[n]
	s.busy, s.since = true, now
	start := len(k.out)
	k.out = codec.BeginFrame(k.out, codec.FrameNotify, codec.FlagFIN, k.streamID(n), frameID(n))
	k.out = codec.FinishFrame(append(k.out, k.shape.Notify...), start)
}

func (k *conn) streamID(n int) uint64 { return k.slots[n].used*uint64(len(k.slots)) + uint64(n) }

func frameID(n int) uint64 { return uint64(n) + 1 }

// flush writes what it can and keeps the rest.
func (k *conn) flush() error {
	n, err := k.sock.write(k.out)
	k.out = k.out[:copy(k.out, k.out[n:])]
	return err
}

// receive reads up to limit bytes once, n of them, and calls acked for each ACK
// that they end.
func (k *conn) receive(limit int, acked func(since int64)) (n int, err error) {
	if n, err = k.sock.read(k.in[k.have:min(k.have+limit, len(k.in))]); err != nil {
		return 0, err
	}
	k.have += n
	b := k.in[:k.have]
	for len(b) >= codec.LengthSize {
		size := int(binary.BigEndian.Uint32(b))
		if size > len(k.in)-codec.LengthSize {
			return n, fmt.Errorf("a frame of %d bytes was not agreed", size)
		}
		if size > len(b)-codec.LengthSize {
			break
		}
		f, err := codec.ParseFrame(b[codec.LengthSize : codec.LengthSize+size])
		if err != nil {
			return n, err
		}
		since, err := k.ack(f)
		if err != nil {
			return n, err
		}
		acked(since)
		b = b[codec.LengthSize+size:]
	}
	k.have = copy(k.in, b)
	return n, nil
}

// ack checks an ACK and frees its slot.
func (k *conn) ack(f codec.Frame) (since int64, err error) {
	if f.Type != codec.FrameAck || f.Flags != codec.FlagFIN {
		return 0, fmt.Errorf("%s with flags %d instead of an ACK%s", f.Type, f.Flags, reason(f))
	}
	n := int(f.StreamID % uint64(len(k.slots)))
	s := &k.slots[n]
	if !s.busy || f.StreamID != k.streamID(n) || f.FrameID != frameID(n) {
		return 0, fmt.Errorf("an ACK for stream-id %d, frame-id %d, which is not in flight", f.StreamID, f.FrameID)
	}
	if !bytes.Equal(f.Payload, k.shape.Ack) {
		if err := sameActions(f.Payload, k.shape.Ack); err != nil {
			return 0, err
		}
	}
	s.busy = false
	s.used++
	k.free = append(k.free, n)
	return s.since, nil
}

func (k *conn) busy() int { return len(k.slots) - len(k.free) }
