package spoe

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// fragments are the incomplete payloads of one connection (§3.2). HAProxy up to 3.0 cuts a
// payload that is longer than a frame; later ones do not.
type fragments map[fragmentKey]*fragmented

type fragmentKey struct{ streamID, frameID uint64 }

type fragmented struct {
	payload []byte
	// skipping: acknowledged with ABORT, the rest is passed over.
	skipping bool
}

// maxFragmented is the maximum number of incomplete payloads on a connection. HAProxy
// has one, and 20 NOTIFYs in flight.
const maxFragmented = 20

func (f fragments) any() bool { return len(f) > 0 }

// size is their total size in bytes.
func (f fragments) size() int {
	n := 0
	for _, p := range f {
		n += len(p.payload)
	}
	return n
}

// firstFragment takes a NOTIFY that is a first fragment, or that comes while payloads are
// incomplete. whole reports whether it is complete by itself.
func (c *conn) firstFragment(f codec.Frame) (whole bool, err error) {
	key := fragmentKey{f.StreamID, f.FrameID}
	old := c.fragments[key]
	if old != nil && !old.skipping {
		return false, &codec.Error{Status: codec.StatusInterlaced, Reason: fmt.Sprintf(
			"NOTIFY for stream-id %d, frame-id %d while its last one is incomplete", f.StreamID, f.FrameID)}
	}
	delete(c.fragments, key) // HAProxy took the ABORT as the end, and starts a new payload
	if f.ABORT() {
		c.shared.counters.aborted.Add(1)
		return false, nil
	}
	if f.FIN() {
		return true, nil
	}
	if len(c.fragments) >= maxFragmented {
		return false, &codec.Error{Status: codec.StatusInterlaced, Reason: fmt.Sprintf(
			"more than %d payloads are incomplete", maxFragmented)}
	}
	if c.fragments == nil {
		c.fragments = make(fragments)
	}
	p := new(fragmented)
	c.fragments[key] = p
	return false, c.appendFragment(p, f)
}

// fragmentFrame takes a further fragment.
func (c *conn) fragmentFrame(f codec.Frame, received time.Time) error {
	key := fragmentKey{f.StreamID, f.FrameID}
	p := c.fragments[key]
	if p == nil {
		return &codec.Error{Status: codec.StatusNoFrameID, Reason: fmt.Sprintf(
			"fragment for stream-id %d, frame-id %d, of which no NOTIFY is incomplete", f.StreamID, f.FrameID)}
	}
	if f.ABORT() {
		delete(c.fragments, key)
		c.hold(-len(p.payload))
		c.shared.counters.aborted.Add(1)
		return nil
	}
	if err := c.appendFragment(p, f); err != nil || !f.FIN() {
		return err
	}
	delete(c.fragments, key)
	if p.skipping {
		return nil
	}
	j := c.getJob(f.StreamID, f.FrameID, received)
	j.payload, j.held = p.payload, true
	if err := j.parse(); err != nil {
		dropJob(j)
		return err
	}
	c.enqueue(j)
	return nil
}

// appendFragment adds a fragment's bytes, or gives the payload up if they are too many. In
// both cases the next fragment must come within ReadTimeout.
func (c *conn) appendFragment(p *fragmented, f codec.Frame) error {
	c.fragmentsSeen.Add(1)
	t := now()
	c.clock.payloadSince.Store(t)
	c.clock.arm(t + int64(c.shared.read))
	if p.skipping {
		return nil
	}
	if c.fragments.size()+len(f.Payload) <= c.shared.maxPayload {
		if !c.reserve(len(f.Payload)) {
			return errLast
		}
		c.hold(len(f.Payload))
		p.payload = append(p.payload, f.Payload...)
		return nil
	}
	c.hold(-len(p.payload))
	p.payload, p.skipping = nil, true
	c.shared.counters.aborted.Add(1)
	c.complain("fragmented payload is longer than Agent.MaxPayload; acknowledged with ABORT",
		slog.Int("max_payload", c.shared.maxPayload), slog.Uint64("stream_id", f.StreamID), slog.Uint64("frame_id", f.FrameID))
	c.send(codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN | codec.FlagABORT, StreamID: f.StreamID, FrameID: f.FrameID}, false)
	if c.awaitPlaces() == 0 { // an ABORT waits for the same bound as an ACK
		return errLast
	}
	return nil
}
