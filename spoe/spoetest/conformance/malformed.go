package conformance

import (
	"fmt"
	"math"
	"net/netip"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// malformed are NOTIFY payloads that cannot be read. They are tried alone and
// behind a message that is in order.
var malformed = []struct {
	name    string
	payload []byte
}{
	{"name-longer-than-frame", []byte{200, 1, 'm', 0}},
	{"name-of-2^64-1-bytes", append(codec.AppendVarint(nil, math.MaxUint64), 'm', 0)},
	{"name-of-2^63-bytes", append(codec.AppendVarint(nil, 1<<63), 'm', 0)},
	{"name-length-over-64-bits", []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 127, 'm', 0}},
	{"name-length-without-end", []byte{240, 128, 128}},
	{"without-NB-ARGS", []byte{1, 'm'}},
	{"NB-ARGS-without-arguments", []byte{1, 'm', 1}},
	{"NB-ARGS-255-with-one", []byte{1, 'm', 255, 1, 'a', 0}},
	{"NB-ARGS-one-too-many", []byte{1, 'm', 2, 1, 'a', 0}},
	{"argument-name-longer-than-frame", []byte{1, 'm', 1, 9, 'a', 0}},
	{"argument-name-of-2^64-1-bytes", append(append([]byte{1, 'm', 1}, codec.AppendVarint(nil, math.MaxUint64)...), 'a', 0)},
	{"argument-without-value", []byte{1, 'm', 1, 1, 'a'}},
	{"string-longer-than-frame", []byte{1, 'm', 1, 1, 'a', 8, 5, 'x'}},
	{"binary-longer-than-frame", []byte{1, 'm', 1, 1, 'a', 9, 5, 'x'}},
	{"string-of-4-GiB", append([]byte{1, 'm', 1, 1, 'a', 8}, codec.AppendVarint(nil, math.MaxUint32)...)},
	{"string-of-2^64-1-bytes", append([]byte{1, 'm', 1, 1, 'a', 8}, codec.AppendVarint(nil, math.MaxUint64)...)},
	{"string-without-length", []byte{1, 'm', 1, 1, 'a', 8}},
	{"integer-without-value", []byte{1, 'm', 1, 1, 'a', 4}},
	{"integer-over-64-bits", []byte{1, 'm', 1, 1, 'a', 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 127}},
	{"integer-of-11-bytes", []byte{1, 'm', 1, 1, 'a', 5, 240, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0}},
	{"integer-breaks-off", []byte{1, 'm', 1, 1, 'a', 2, 255, 255}},
	{"ipv4-of-3-bytes", []byte{1, 'm', 1, 1, 'a', 6, 1, 2, 3}},
	{"ipv6-of-15-bytes", append([]byte{1, 'm', 1, 1, 'a', 7}, make([]byte, 15)...)},
	{"reserved-type-10", []byte{1, 'm', 1, 1, 'a', 10}},
	{"reserved-type-11", []byte{1, 'm', 1, 1, 'a', 11}},
	{"reserved-type-12", []byte{1, 'm', 1, 1, 'a', 12}},
	{"reserved-type-13", []byte{1, 'm', 1, 1, 'a', 13}},
	{"reserved-type-14", []byte{1, 'm', 1, 1, 'a', 14}},
	{"reserved-type-15", []byte{1, 'm', 1, 1, 'a', 15}},
	{"reserved-type-with-flags", []byte{1, 'm', 1, 1, 'a', 0xfa}},
	{"trailing-byte", []byte{1, 'm', 0, 77}},
}

func malformedCases() []Case {
	var cases []Case
	for _, m := range malformed {
		cases = append(cases, Case{"malformed/" + m.name, rowMalformed, "§3.1", scripted(func(s *script) {
			s.at = "alone"
			s.open()
			s.send(spoetest.NotifyFrame(at(1, 1), m.payload))
			s.refused(codec.StatusInvalid)
			s.at = "behind a message in order"
			s.open()
			s.send(spoetest.NotifyFrame(at(1, 1), append(codec.AppendMessage(nil, unhandled, 0), m.payload...)))
			s.refused(codec.StatusInvalid)
		})})
	}
	header := func(name string, frame ...byte) Case {
		return Case{"malformed/" + name, rowMalformed, "§3.2", scripted(func(s *script) {
			s.open()
			s.raw(append([]byte{0, 0, 0, byte(len(frame))}, frame...))
			s.refused(codec.StatusInvalid)
		})}
	}
	cases = append(cases,
		header("stream-id-over-64-bits", 3, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 127, 1),
		header("frame-id-over-64-bits", 3, 0, 0, 0, 1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 127),
		header("stream-id-without-end", 3, 0, 0, 0, 1, 255, 255),
		header("frame-id-without-end", 3, 0, 0, 0, 1, 1, 240),
		header("frame-id-missing", 3, 0, 0, 0, 1, 240, 0),
		Case{"malformed/truncated", rowMalformed, "§3.1", scripted(notifyTruncated)},
		Case{"malformed/truncated-by-EOF", rowMalformed, "§3.2", scripted(notifyTruncatedByEOF)},
		Case{"malformed/in-fragments", rowMalformed, "§3.2.1", scripted(func(s *script) {
			for _, m := range malformed {
				s.at = m.name
				s.open()
				s.send(spoetest.Fragments(at(1, 1), m.payload, 1)...)
				s.refused(codec.StatusInvalid)
			}
		})},
		Case{"malformed/others-were-accepted", rowMalformed, "§3.2.9", scripted(func(s *script) {
			s.open()
			s.notifyEach(5, spoetest.Msg(MessageSleep, spoetest.Arg("ms", 200)))
			s.send(spoetest.NotifyFrame(at(9, 1), []byte{1, 'm'}))
			for _, f := range s.drained([]codec.Status{codec.StatusInvalid}) {
				if f.Type == codec.FrameAck && f.StreamID == 9 {
					s.failf("the malformed NOTIFY was acknowledged")
				}
			}
			s.servedElsewhere()
		})},
	)
	for n := range codec.MinFrameLength {
		cases = append(cases, Case{fmt.Sprintf("short/%d-bytes", n), rowShort, "§3.2", scripted(func(s *script) {
			for _, t := range []codec.FrameType{codec.FrameHAProxyHello, codec.FrameNotify, 77} {
				frame := append([]byte{0, 0, 0, byte(n)}, []byte{byte(t), 0, 0, 0, 1, 0}[:n]...)
				if t == codec.FrameHAProxyHello {
					s.at = "as the first frame"
					s.connect()
				} else {
					s.at = "as " + t.String()
					s.open()
				}
				s.raw(frame)
				s.refused(codec.StatusInvalid)
			}
		})})
	}
	return append(cases, Case{"short/7-bytes", rowShort, "§3.2", scripted(func(s *script) {
		s.open()
		s.raw([]byte{0, 0, 0, 7, 3, 0, 0, 0, 1, 5, 6})
		s.nothing(s.ack(at(5, 6)))
		s.served()
		s.finished()
	})})
}

// everyType is a message with an argument of each type.
func everyType() []byte {
	b := codec.AppendMessage(nil, unhandled, 11)
	for i, v := range []codec.Value{
		codec.Null(), codec.Bool(true), codec.Int32(-5), codec.Uint32(300), codec.Int64(math.MinInt64), codec.Uint64(math.MaxUint64),
		codec.Addr(netip.MustParseAddr("192.0.2.1")), codec.Addr(netip.MustParseAddr("2001:db8::1")), codec.String("string"),
		codec.Binary([]byte("\x00binary\xff")), codec.String(""),
	} {
		b = codec.AppendArg(b, fmt.Sprintf("a%d", i), v)
	}
	return b
}

// notifyTruncated has whole frames whose payload breaks off at every byte.
func notifyTruncated(s *script) {
	whole := everyType()
	for n := range len(whole) + 1 {
		s.at = fmt.Sprintf("%d of %d bytes of the payload", n, len(whole))
		s.open()
		s.send(spoetest.NotifyFrame(at(1, 1), whole[:n]))
		if n == 0 || n == len(whole) {
			s.nothing(s.ack(at(1, 1)))
			continue
		}
		s.refused(codec.StatusInvalid)
	}
}

// notifyTruncatedByEOF ends the connection at every byte of a frame.
func notifyTruncatedByEOF(s *script) {
	whole := codec.AppendFrame(nil, spoetest.NotifyFrame(at(1, 1), everyType()))
	for n := range len(whole) {
		s.at = fmt.Sprintf("%d of %d bytes, then EOF", n, len(whole))
		s.open()
		s.raw(whole[:n])
		s.halfClosed()
	}
}
