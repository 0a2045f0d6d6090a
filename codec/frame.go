package codec

import (
	"encoding/binary"
	"strconv"
)

// FrameType is the first byte of a frame (§3.2.2).
type FrameType uint8

// The frame types of §3.2.2.
const (
	FrameUnset             FrameType = 0 // the next fragment of a payload
	FrameHAProxyHello      FrameType = 1
	FrameHAProxyDisconnect FrameType = 2
	FrameNotify            FrameType = 3
	FrameAgentHello        FrameType = 101
	FrameAgentDisconnect   FrameType = 102
	FrameAck               FrameType = 103
)

// String returns the frame's name as §3.2.2 writes it.
func (t FrameType) String() string {
	switch t {
	case FrameUnset:
		return "UNSET"
	case FrameHAProxyHello:
		return "HAPROXY-HELLO"
	case FrameHAProxyDisconnect:
		return "HAPROXY-DISCONNECT"
	case FrameNotify:
		return "NOTIFY"
	case FrameAgentHello:
		return "AGENT-HELLO"
	case FrameAgentDisconnect:
		return "AGENT-DISCONNECT"
	case FrameAck:
		return "ACK"
	}
	return "frame type " + strconv.Itoa(int(t))
}

// Flags are the flags of a frame (§3.2).
type Flags uint32

// The flags of §3.2.
const (
	FlagFIN   Flags = 1 << 0 // the last, or only, fragment of a payload
	FlagABORT Flags = 1 << 1 // processing of the frame must be cancelled
)

const (
	// LengthSize is the size of the length in front of each frame, in bytes.
	LengthSize = 4
	// MinFrameLength is the length of the shortest frame: its type, its flags
	// and two varints of one byte.
	MinFrameLength = 7
	// MinMaxFrameSize is the smallest max-frame-size that may be agreed (§3.2).
	MinMaxFrameSize = 256
)

// Frame is one frame. A frame that was parsed borrows its payload.
type Frame struct {
	Type     FrameType
	Flags    Flags
	StreamID uint64
	FrameID  uint64
	Payload  []byte
}

// FIN reports whether the payload ends with this frame.
func (f *Frame) FIN() bool { return f.Flags&FlagFIN != 0 }

// ABORT reports whether the sender gave up the payload; drop it.
func (f *Frame) ABORT() bool { return f.Flags&FlagABORT != 0 }

// FrameLength reads the length in front of a frame from the LengthSize bytes
// that b begins with; ok is false if there are fewer.
func FrameLength(b []byte) (n uint32, ok bool) {
	if len(b) < LengthSize {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), true
}

// ParseFrame reads a whole frame, without the length in front of it.
func ParseFrame(b []byte) (Frame, error) {
	c := cursor{b: b}
	if len(b) < MinFrameLength {
		c.fail(0, "frame of %d bytes, the shortest has %d", len(b), MinFrameLength)
		return Frame{}, c.error()
	}
	f := Frame{
		Type:     FrameType(c.byte("frame type")),
		Flags:    Flags(c.uint32("frame flags")),
		StreamID: c.varint("stream-id"),
		FrameID:  c.varint("frame-id"),
	}
	if c.failed() {
		return Frame{}, c.error()
	}
	f.Payload = c.rest()
	return f, nil
}

// BeginFrame appends space for a frame's length and the frame's header. Append the
// payload after it; then FinishFrame fills in the length.
func BeginFrame(b []byte, t FrameType, flags Flags, streamID, frameID uint64) []byte {
	b = append(binary.BigEndian.AppendUint32(b, 0), byte(t))
	b = binary.BigEndian.AppendUint32(b, uint32(flags))
	return AppendVarint(AppendVarint(b, streamID), frameID)
}

// FinishFrame fills in the length of the frame that BeginFrame began at
// b[start] and that ends with b.
func FinishFrame(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-LengthSize))
	return b
}

// AppendFrame appends a whole frame with its length.
func AppendFrame(b []byte, f Frame) []byte {
	start := len(b)
	b = BeginFrame(b, f.Type, f.Flags, f.StreamID, f.FrameID)
	return FinishFrame(append(b, f.Payload...), start)
}
