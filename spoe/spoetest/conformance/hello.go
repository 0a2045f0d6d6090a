package conformance

import (
	"math"
	"net/netip"
	"slices"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// pair is one key of a raw hello.
type pair struct {
	key   string
	value codec.Value
}

func helloPayload(pairs ...pair) []byte {
	var b []byte
	for _, p := range pairs {
		b = codec.AppendArg(b, p.key, p.value)
	}
	return b
}

var (
	versionsPair     = pair{"supported-versions", codec.String("2.0")}
	sizePair         = pair{"max-frame-size", codec.Uint32(16380)}
	capabilitiesPair = pair{"capabilities", codec.String("pipelining")}
)

func helloCases() []Case {
	cases := []Case{
		{"hello/answer", rowHello, "§3.2.5", scripted(func(s *script) {
			h := s.open()
			if h.Version != codec.Version {
				s.failf("AGENT-HELLO with version %q, want %q", h.Version, codec.Version)
			}
			s.served()
			s.finished()
		})},
		{"hello/capabilities", rowHello, "§3.2.1", scripted(func(s *script) {
			for _, caps := range []string{"pipelining", "", "pipelining,async", " async , pipelining ", "fragmentation", "teleportation,pipelining"} {
				s.at = "capabilities " + caps
				h := s.open(func(h *spoetest.Hello) { h.Capabilities = caps })
				offered := spoetest.Hello{Capabilities: caps}
				switch {
				case !h.Has(codec.CapFragmentation):
					s.failf("AGENT-HELLO with capabilities %q, want fragmentation among them", h.Capabilities)
				case h.Has(codec.CapPipelining) != offered.Pipelining():
					s.failf("AGENT-HELLO with capabilities %q, want pipelining there if and only if HAProxy has it", h.Capabilities)
				case h.Has(codec.CapAsync):
					s.failf("AGENT-HELLO with capabilities %q, async is not supported", h.Capabilities)
				}
				s.served()
			}
		})},
		{"hello/versions", rowVersions, "§3.2.4", scripted(func(s *script) {
			for _, v := range []string{"2.0", "1.0, 2.0", "1.0,2.0", "2.0, 1.5", "2.3", " 2.0 ", "2.0,3.0", "1.0,2.7,3.1", "2.10"} {
				s.at = "supported-versions " + v
				s.open(func(h *spoetest.Hello) { h.SupportedVersions = v })
				s.served()
			}
		})},
		{"hello/no-pipelining", rowLenient, "§3.2.1", scripted(func(s *script) {
			s.open(func(h *spoetest.Hello) { h.Capabilities = "" })
			for range 10 {
				s.served()
			}
			s.finished()
		})},
		{"hello/no-engine-id", rowLenient, "§3.2.4", scripted(func(s *script) {
			s.open(func(h *spoetest.Hello) { h.EngineID = "" })
			s.served()
		})},
		{"hello/unknown-keys", rowLenient, "§3.2.4", scripted(func(s *script) {
			for _, v := range []codec.Value{
				codec.Null(), codec.Bool(true), codec.Bool(false), codec.Int32(-1), codec.Uint32(7), codec.Int64(math.MinInt64),
				codec.Uint64(math.MaxUint64), codec.Addr(netip.MustParseAddr("192.0.2.1")), codec.Addr(netip.MustParseAddr("2001:db8::1")),
				codec.String("x"), codec.String(""), codec.Binary([]byte{0, 255}),
			} {
				unknown := pair{"x-" + v.Type().String(), v}
				for i := range 4 {
					s.try("unknown key of type %v at position %d", v.Type(), i)
					pairs := slices.Insert([]pair{versionsPair, sizePair, capabilitiesPair}, i, unknown)
					s.shakeRaw(helloPayload(pairs...))
				}
				s.served()
			}
		})},
		{"hello/key-order", rowLenient, "§3.2.4", scripted(func(s *script) {
			for _, pairs := range [][]pair{
				{versionsPair, capabilitiesPair, sizePair}, {sizePair, versionsPair, capabilitiesPair}, {sizePair, capabilitiesPair, versionsPair},
				{capabilitiesPair, versionsPair, sizePair}, {{"engine-id", codec.String("e")}, capabilitiesPair, sizePair, versionsPair},
			} {
				s.try("%s first, then %s", pairs[0].key, pairs[1].key)
				s.shakeRaw(helloPayload(pairs...))
				s.served()
			}
		})},
		{"hello/size-types", rowLenient, "§3.2.4", scripted(func(s *script) {
			for _, v := range []codec.Value{codec.Int32(16380), codec.Uint32(16380), codec.Int64(16380), codec.Uint64(16380)} {
				s.try("max-frame-size as %v", v.Type())
				h := s.shakeRaw(helloPayload(versionsPair, pair{"max-frame-size", v}, capabilitiesPair))
				s.agreed(h, 16380)
				s.served()
			}
		})},
		{"hello/size-offered", rowMaxFrameSize, "§3.2.5", scripted(func(s *script) {
			for _, size := range []uint32{256, 257, 1024, 16380, 16384, 65532, 1 << 20, 1<<20 + 1, 1 << 24, math.MaxUint32} {
				s.at = "max-frame-size " + codec.Uint32(size).String()
				h := s.open(func(h *spoetest.Hello) { h.MaxFrameSize = size })
				s.agreed(h, size)
				s.served()
			}
		})},
		{"hello/size-beyond-32-bits", rowMaxFrameSize, "§3.2.4", scripted(func(s *script) {
			s.connect()
			h := s.shakeRaw(helloPayload(versionsPair, pair{"max-frame-size", codec.Uint64(1 << 40)}, capabilitiesPair))
			s.agreed(h, math.MaxUint32)
			s.served()
		})},
	}
	return cases
}

// shakeRaw does the handshake with a raw payload.
func (s *script) shakeRaw(payload []byte) codec.AgentHello {
	h, err := s.c.HandshakeRaw(s.ctx, payload, 0)
	s.check(err)
	return h
}

// agreed checks the size in the AGENT-HELLO: the offered one, or the agent's own limit
// if that is lower. If the limit is not known, the agent must take HAProxy's default
// offer (16380).
func (s *script) agreed(h codec.AgentHello, offered uint32) {
	switch limit := s.t.MaxFrameSize; {
	case limit != 0 && h.MaxFrameSize != min(offered, limit),
		limit == 0 && offered <= 16380 && h.MaxFrameSize != offered,
		h.MaxFrameSize > offered:
		s.failf("AGENT-HELLO with max-frame-size %d; offered %d, the agent's limit is %d", h.MaxFrameSize, offered, limit)
	}
}
