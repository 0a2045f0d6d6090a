package codec

import (
	"errors"
	"fmt"
)

// Assembler puts the fragments of NOTIFYs together (§3.2.1). HAProxy up to 3.0 cuts a
// payload that is longer than a frame; later versions do not. The zero Assembler is ready
// and has no bounds. It is for the frames of one connection and one direction, and not for
// concurrent use.
type Assembler struct {
	// MaxBytes bounds the bytes of all incomplete payloads together, MaxPayloads their
	// number; 0 means no bound.
	MaxBytes, MaxPayloads int

	open  map[fragmentID]*assembly
	bytes int
}

type fragmentID struct{ stream, frame uint64 }

type assembly struct {
	payload  []byte
	skipping bool // too long: its other fragments are skipped
}

// ErrPayloadTooLong is the error of the fragment that exceeds Assembler.MaxBytes. The
// assembler drops the payload, and skips its other fragments.
var ErrPayloadTooLong = errors.New("codec: the fragments of a payload are too long")

// Add takes a NOTIFY or an UNSET frame. whole reports whether it completes a payload. The
// payload borrows from f if f is whole; otherwise Add joined it, and the caller may keep
// it. A frame with ABORT drops its payload.
//
// The error is ErrPayloadTooLong or an *Error: for a NOTIFY whose payload is already open
// or that exceeds MaxPayloads (StatusInterlaced), for an UNSET that continues no payload
// (StatusNoFrameID), or for a frame of another type.
func (a *Assembler) Add(f Frame) (payload []byte, whole bool, err error) {
	id := fragmentID{f.StreamID, f.FrameID}
	p := a.open[id]
	switch {
	case f.Type != FrameNotify && f.Type != FrameUnset:
		return nil, false, &Error{Status: StatusInvalid, Reason: f.Type.String() + " has no fragments"}
	case f.Type == FrameUnset && p == nil:
		return nil, false, &Error{Status: StatusNoFrameID, Reason: fmt.Sprintf("fragment for stream-id %d, frame-id %d, of which no NOTIFY is incomplete", f.StreamID, f.FrameID)}
	case f.Type == FrameNotify && p != nil && !p.skipping:
		return nil, false, &Error{Status: StatusInterlaced, Reason: fmt.Sprintf("NOTIFY for stream-id %d, frame-id %d while its last one is incomplete", f.StreamID, f.FrameID)}
	case f.Type == FrameNotify && p != nil: // HAProxy took an ABORT as the end, and starts a new payload
		a.drop(id)
		p = nil
	}
	switch {
	case f.ABORT():
		a.drop(id)
		return nil, false, nil
	case p == nil && f.FIN():
		return f.Payload, true, nil
	case p == nil && a.MaxPayloads > 0 && len(a.open) >= a.MaxPayloads:
		return nil, false, &Error{Status: StatusInterlaced, Reason: fmt.Sprintf("more than %d payloads are incomplete", a.MaxPayloads)}
	case p == nil:
		p = new(assembly)
		if a.open == nil {
			a.open = make(map[fragmentID]*assembly)
		}
		a.open[id] = p
	}
	if !p.skipping && a.MaxBytes > 0 && a.bytes+len(f.Payload) > a.MaxBytes {
		a.bytes -= len(p.payload)
		p.payload, p.skipping, err = nil, true, ErrPayloadTooLong
	}
	if !p.skipping {
		p.payload = append(p.payload, f.Payload...)
		a.bytes += len(f.Payload)
	}
	if f.FIN() {
		a.drop(id)
		return p.payload, !p.skipping, err
	}
	return nil, false, err
}

// Len returns how many payloads are incomplete.
func (a *Assembler) Len() int { return len(a.open) }

// Bytes returns how many bytes the incomplete payloads have.
func (a *Assembler) Bytes() int { return a.bytes }

// Reset drops all incomplete payloads.
func (a *Assembler) Reset() {
	clear(a.open)
	a.bytes = 0
}

func (a *Assembler) drop(id fragmentID) {
	if p := a.open[id]; p != nil {
		a.bytes -= len(p.payload)
		delete(a.open, id)
	}
}
