package recording

import (
	"fmt"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// Exchange is one NOTIFY and its ACK.
type Exchange struct {
	At     time.Duration // when the NOTIFY's last byte was read
	Took   time.Duration // until its ACK; 0 without one
	Conn   int
	Stream uint64
	Frame  uint64
	Notify []byte // the payload, put together if it came in fragments
	Ack    []byte // the payload
	Acked  bool   // whether there is an ACK in the recording
}

// Hello returns the payload of a connection's HAPROXY-HELLO, nil if it was not
// recorded.
func (r *Recording) Hello(conn int) []byte {
	for _, rec := range r.Records {
		if rec.Conn != conn || rec.ByAgent {
			continue
		}
		if f, err := codec.ParseFrame(rec.Frame[codec.LengthSize:]); err == nil && f.Type == codec.FrameHAProxyHello {
			return f.Payload
		}
	}
	return nil
}

type key struct {
	conn          int
	stream, frame uint64
}

// Exchanges returns the NOTIFYs in the order in which they were whole, with their ACKs.
// NOTIFYs that HAProxy aborted are left out.
func (r *Recording) Exchanges() ([]Exchange, error) {
	var all []Exchange
	partial := map[int]*codec.Assembler{} // by connection
	open := map[key]int{}                 // in flight, by their places in all
	for i, rec := range r.Records {
		f, err := codec.ParseFrame(rec.Frame[codec.LengthSize:])
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i+1, err)
		}
		k := key{rec.Conn, f.StreamID, f.FrameID}
		switch {
		case !rec.ByAgent && (f.Type == codec.FrameNotify || f.Type == codec.FrameUnset):
			if partial[rec.Conn] == nil {
				partial[rec.Conn] = new(codec.Assembler)
			}
			// A recording may begin in the middle of a payload: a payload without its
			// beginning is left out.
			if payload, whole, err := partial[rec.Conn].Add(f); err == nil && whole {
				open[k] = len(all)
				all = append(all, Exchange{At: rec.At, Conn: rec.Conn, Stream: f.StreamID, Frame: f.FrameID, Notify: payload})
			}
		case rec.ByAgent && f.Type == codec.FrameAck:
			if n, ok := open[k]; ok {
				e := &all[n]
				e.Ack, e.Acked, e.Took = f.Payload, true, rec.At-e.At
				delete(open, k)
			}
		}
	}
	return all, nil
}
