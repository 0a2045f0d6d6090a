package conformance

import (
	"context"
	"fmt"
	"math"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

func healthcheckFalse() []byte { return codec.AppendArg(nil, "healthcheck", codec.Bool(false)) }

func missingCases() []Case {
	missing := func(want codec.Status, pairs ...pair) func(*script) {
		return func(s *script) {
			s.connect()
			s.send(spoetest.HelloFrame(helloPayload(pairs...)))
			s.refused(want)
		}
	}
	return []Case{
		{"hello/without-versions", rowMissing, "§3.5", scripted(missing(5, sizePair, capabilitiesPair))},
		{"hello/without-size", rowMissing, "§3.5", scripted(missing(6, versionsPair, capabilitiesPair))},
		{"hello/without-capabilities", rowMissing, "§3.5", scripted(missing(7, versionsPair, sizePair))},
		{"hello/without-anything", rowMissing, "§3.5", scripted(missing(5))},
		{"hello/versions-unsupported", rowUnsupported, "§3.5", scripted(func(s *script) {
			for _, v := range []string{"1.0", "1.0, 1.5", "3.0", "", ",", "20.0", "12.0", "two", "0.2.0"} {
				s.at = fmt.Sprintf("supported-versions %q", v)
				h := spoetest.DefaultHello()
				h.SupportedVersions = v
				s.greet(h)
				s.refused(codec.StatusBadVersion)
			}
		})},
		{"hello/size-too-small", rowUnsupported, "§3.2", scripted(func(s *script) {
			for _, v := range []codec.Value{
				codec.Uint32(255), codec.Uint32(0), codec.Int32(-1), codec.Int64(math.MinInt64), codec.Uint64(1), codec.Int32(255),
			} {
				s.at = fmt.Sprintf("max-frame-size %v as %v", v, v.Type())
				s.connect()
				s.send(spoetest.HelloFrame(helloPayload(versionsPair, pair{"max-frame-size", v}, capabilitiesPair)))
				s.refused(codec.StatusBadFrameSize)
			}
		})},
	}
}

func refusedCases() []Case {
	good := helloFrame(spoetest.DefaultHello())
	// first sends a frame as the first of a connection.
	first := func(change func(*codec.Frame), statuses ...codec.Status) func(context.Context, *Target) error {
		return scripted(func(s *script) {
			f := good
			change(&f)
			s.connect()
			s.send(f)
			s.refused(statuses...)
		})
	}
	cases := []Case{
		{"hello/second", rowRefused, "§3.2.4", scripted(func(s *script) {
			s.open()
			s.served()
			s.send(good)
			s.refused(codec.StatusInvalid)
		})},
		{"hello/twice-in-one-segment", rowRefused, "§3.2.4", scripted(func(s *script) {
			s.connect()
			s.send(good, good)
			frames := s.drained([]codec.Status{codec.StatusInvalid})
			if len(frames) > 2 || len(frames) == 2 && frames[0].Type != codec.FrameAgentHello {
				s.failf("%d frames came, want at most an AGENT-HELLO before the AGENT-DISCONNECT", len(frames))
			}
		})},
		{"hello/notify-before", rowRefused, "§3.2.4", first(func(f *codec.Frame) {
			*f = spoetest.NotifyFrame(at(1, 1), codec.AppendMessage(nil, "spoetest", 0))
		}, codec.StatusInvalid)},
		{"hello/notify-before-in-one-segment", rowRefused, "§3.2.4", scripted(func(s *script) {
			s.connect()
			s.send(spoetest.NotifyFrame(at(1, 1), s.payload(s.t.message())), good)
			s.refused(codec.StatusInvalid)
		})},
		{"hello/fragment-before", rowRefused, "§3.2.1", first(func(f *codec.Frame) {
			*f = codec.Frame{Type: codec.FrameUnset, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1}
		}, codec.StatusInvalid, codec.StatusNoFrameID)},
		{"hello/stream-id", rowRefused, "§3.2.4", first(func(f *codec.Frame) { f.StreamID = 1 }, codec.StatusInvalid)},
		{"hello/stream-id-of-64-bits", rowRefused, "§3.2.4", first(func(f *codec.Frame) { f.StreamID = math.MaxUint64 }, codec.StatusInvalid)},
		{"hello/without-FIN", rowRefused, "§3.2.4", first(func(f *codec.Frame) { f.Flags = 0 }, codec.StatusInvalid)},
		{"hello/size-is-no-integer", rowRefused, "§3.2.4", first(func(f *codec.Frame) {
			f.Payload = helloPayload(versionsPair, pair{"max-frame-size", codec.String("16380")}, capabilitiesPair)
		}, codec.StatusInvalid, codec.StatusNoMaxFrameSize)},
		{"hello/overlong", rowRefused, "§3.2.4", scripted(func(s *script) {
			for name, tail := range overlong {
				s.at = name
				f := good
				f.Payload = append(f.Payload[:len(f.Payload):len(f.Payload)], tail...)
				s.connect()
				s.send(f)
				s.refused(codec.StatusInvalid)
			}
		})},
		{"hello/truncated", rowRefused, "§3.2.4", scripted(helloTruncated)},
		{"hello/truncated-by-EOF", rowRefused, "§3.2.4", scripted(func(s *script) {
			whole := codec.AppendFrame(nil, good)
			for n := range len(whole) {
				s.at = fmt.Sprintf("%d of %d bytes, then EOF", n, len(whole))
				s.connect()
				s.raw(whole[:n])
				s.halfClosed()
			}
		})},
	}
	for name, garbage := range map[string]string{
		"http":             "GET / HTTP/1.1\r\nHost: agent.example\r\n\r\n",
		"http2":            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"tls":              "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xaa\xbb\xcc\xdd",
		"newlines":         "\r\n\r\n\r\n",
		"ssh":              "SSH-2.0-OpenSSH_9.2\r\n",
		"4-gib":            "\xff\xff\xff\xff\x01\x00\x00\x00\x01\x00\x00",
		"2-gib":            "\x80\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00",
		"zeroes":           "\x00\x00\x00\x00\x00\x00\x00\x00",
		"proxy-protocol":   "PROXY TCP4 192.0.2.1 192.0.2.2 40000 9000\r\n",
		"proxy-protocol-2": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
	} {
		cases = append(cases, Case{"garbage/" + name, rowRefused, "§3.5", scripted(func(s *script) {
			s.connect()
			s.rawLast([]byte(garbage))
			s.refused(codec.StatusInvalid, codec.StatusTooBig)
		})})
	}
	sortCases(cases)
	return append(cases, Case{"garbage/long", rowRefused, "§3.5", scripted(func(s *script) {
		// The payload is longer than the bytes that the agent reads before it answers:
		// unread bytes must not turn its last frame into a reset.
		s.connect()
		s.rawLast(append([]byte("POST /upload HTTP/1.1\r\n"), make([]byte, 200<<10)...))
		s.refused(codec.StatusInvalid, codec.StatusTooBig)
	})}, Case{"garbage/after-hello", rowRefused, "§3.5", scripted(func(s *script) {
		s.open()
		s.served()
		s.rawLast(append([]byte("GET / HTTP/1.1\r\n\r\n"), make([]byte, 100<<10)...))
		s.refused(codec.StatusInvalid, codec.StatusTooBig)
	})})
}

// overlong are ends of a KV-LIST that say more than is there.
var overlong = map[string][]byte{
	"a key without a value":           {1, 'k'},
	"a key longer than the frame":     {200, 'k'},
	"a string longer than the frame":  {1, 'k', 8, 100, 'x'},
	"a string of 2^64-1 bytes":        append([]byte{1, 'k', 8}, codec.AppendVarint(nil, math.MaxUint64)...),
	"an integer over 64 bits":         {1, 'k', 5, 255, 255, 255, 255, 255, 255, 255, 255, 255, 127},
	"a varint that does not end":      {1, 'k', 5, 255, 255},
	"a value of the reserved type 15": {1, 'k', 15},
	"an IPV4 of 3 bytes":              {1, 'k', 6, 1, 2, 3},
	"an IPV6 of 15 bytes":             append([]byte{1, 'k', 7}, make([]byte, 15)...),
}

// helloTruncated has whole frames whose payload breaks off at every byte. If it breaks off
// between two keys, the first missing one counts.
func helloTruncated(s *script) {
	pairs := []pair{versionsPair, sizePair, capabilitiesPair, {"engine-id", codec.String("e")}}
	want := map[int]codec.Status{}
	for i, status := range []codec.Status{codec.StatusNoVersion, codec.StatusNoMaxFrameSize, codec.StatusNoCapabilities} {
		want[len(helloPayload(pairs[:i]...))] = status
	}
	whole := helloPayload(pairs...)
	for n := range len(whole) {
		if n == len(helloPayload(pairs[:3]...)) {
			continue // no mandatory key is missing
		}
		s.at = fmt.Sprintf("%d of %d bytes of the payload", n, len(whole))
		status, ok := want[n]
		if !ok {
			status = codec.StatusInvalid
		}
		s.connect()
		s.send(spoetest.HelloFrame(whole[:n]))
		s.refused(status)
	}
}
