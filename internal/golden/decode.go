package golden

import (
	"fmt"
	"math"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Decoder decodes the frames of a file one by one.
type Decoder struct {
	fragments codec.Assembler
}

// Decode decodes a whole frame with its length, and returns its meaning with the payload:
// for the last fragment, the payload of all fragments.
func (d *Decoder) Decode(raw []byte) (Frame, []byte, error) {
	n, ok := codec.FrameLength(raw)
	if !ok || int(n) != len(raw)-codec.LengthSize {
		return Frame{}, nil, fmt.Errorf("a length of %d in front of %d bytes", n, len(raw)-codec.LengthSize)
	}
	parsed, err := codec.ParseFrame(raw[codec.LengthSize:])
	if err != nil {
		return Frame{}, nil, err
	}
	if parsed.Flags&^codec.FlagFIN != 0 {
		return Frame{}, nil, fmt.Errorf("flags %#x", parsed.Flags)
	}
	f := Frame{Type: parsed.Type, FIN: parsed.FIN(), StreamID: parsed.StreamID, FrameID: parsed.FrameID}
	payload := parsed.Payload
	switch f.Type {
	case codec.FrameHAProxyHello, codec.FrameAgentHello, codec.FrameHAProxyDisconnect, codec.FrameAgentDisconnect:
		d.fragments.Reset()
		f.Pairs, err = decodePairs(payload)
	case codec.FrameNotify, codec.FrameUnset:
		var whole bool
		if payload, whole, err = d.fragments.Add(parsed); err != nil || !whole {
			return f, parsed.Payload, err
		}
		f.Messages, err = decodeMessages(payload)
	case codec.FrameAck:
		f.Actions, err = codec.ParseActions(payload)
	default:
		err = fmt.Errorf("%v", f.Type)
	}
	return f, payload, err
}

// decodePairs reads pairs to the end of b: a hello does not say how many.
func decodePairs(b []byte) (pairs []Pair, err error) {
	rest := codec.NewArgs(b, math.MaxInt)
	for {
		name, v, next, ok := rest.Next()
		if !ok {
			break
		}
		pairs = append(pairs, Pair{Name: string(name), Value: v})
		rest = next
	}
	if n := len(rest.Raw()); n > 0 {
		return pairs, fmt.Errorf("%d bytes that are no pair", n)
	}
	return pairs, nil
}

func decodeMessages(b []byte) ([]Message, error) {
	var out []Message
	msgs := codec.NewMessages(b)
	for msgs.Next() {
		m := msgs.Message()
		message := Message{Name: string(m.Name)}
		for name, v := range m.Args.All() {
			message.Args = append(message.Args, Pair{Name: name, Value: v})
		}
		if err := m.Args.Err(); err != nil {
			return out, err
		}
		out = append(out, message)
	}
	return out, msgs.Err()
}

// DecodeHeaders sets the Headers of the arguments for which text, as String writes it, has
// header lines.
func (f *Frame) DecodeHeaders(text string) (err error) {
	var args []*Pair
	for _, m := range f.Messages {
		for i := range m.Args {
			args = append(args, &m.Args[i])
		}
	}
	n := 0 // arguments so far
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, `"`):
			n++
		case strings.HasPrefix(line, "header ") && 0 < n && n <= len(args):
			decode := codec.DecodeHeadersText
			if args[n-1].Value.Type() == codec.TypeBinary {
				decode = codec.DecodeHeadersBin
			}
			if args[n-1].Headers, err = decode(args[n-1].Value.Bytes()); err != nil {
				return err
			}
		}
	}
	return nil
}
