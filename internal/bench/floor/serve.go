package main

import (
	"encoding/binary"
	"net"

	"github.com/spoke-go/spoke/codec"
)

// bufSize is the size of the read buffer, and the longest frame.
const bufSize = 64 << 10

func serve(c net.Conn, ack []byte) {
	defer c.Close()
	in := make([]byte, bufSize)
	out := make([]byte, 0, bufSize)
	have := 0
	for {
		n, err := c.Read(in[have:])
		if err != nil {
			return
		}
		have += n
		rest, reply, more := answer(in[:have], out[:0], ack)
		if len(reply) > 0 {
			if _, err := c.Write(reply); err != nil {
				return
			}
		}
		if !more {
			return
		}
		out = reply
		have = copy(in, rest)
	}
}

// answer appends to out the answers to the whole frames that b begins with,
// and returns what is left of b. more is false where the connection is over.
// It indexes wire bytes by itself, as nothing else could be less.
func answer(b, out, ack []byte) (rest, reply []byte, more bool) {
	for len(b) >= codec.LengthSize {
		size := int(binary.BigEndian.Uint32(b))
		if size > bufSize-codec.LengthSize || size < codec.MinFrameLength {
			return nil, out, false
		}
		if size > len(b)-codec.LengthSize {
			break
		}
		frame := b[codec.LengthSize : codec.LengthSize+size]
		b = b[codec.LengthSize+size:]
		if frame[0] != byte(codec.FrameNotify) {
			if out, more = control(frame, out); !more {
				return nil, out, false
			}
			continue
		}
		// The ACK carries the ids as they came: they need not be decoded.
		ids := frame[idsStart:idsEnd(frame)]
		out = binary.BigEndian.AppendUint32(out, uint32(idsStart+len(ids)+len(ack)))
		out = append(out, byte(codec.FrameAck), 0, 0, 0, byte(codec.FlagFIN))
		out = append(out, ids...)
		out = append(out, ack...)
	}
	return b, out, true
}

// idsStart is the offset of a frame's stream-id: after its type and its flags.
const idsStart = 5

// idsEnd returns where a frame's stream-id and frame-id end: a varint goes on
// after a first byte of 240 or more, and then after each of 128 or more.
func idsEnd(frame []byte) int {
	i := idsStart
	for range 2 {
		if i >= len(frame) {
			return len(frame)
		}
		long := frame[i] >= 240
		for i++; long && i < len(frame); i++ {
			long = frame[i] >= 128
		}
	}
	return min(i, len(frame))
}
