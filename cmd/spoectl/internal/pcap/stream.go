package pcap

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"time"
)

// Stream is one direction of a TCP connection.
type Stream struct{ Src, Dst netip.AddrPort }

// Reverse is the other direction.
func (s Stream) Reverse() Stream { return Stream{s.Dst, s.Src} }

// maxAhead bounds the bytes that are kept for a stream in which a segment is
// missing.
const maxAhead = 4 << 20

// half is the state of a Stream.
type half struct {
	next  uint32 // the sequence number that is to come
	ahead []Segment
	size  int // bytes in ahead
}

// Streams calls data for what each stream carries, in order, at the time at
// which it was complete. begin tells that it is the stream's first. A new
// connection between the same ports is another stream of the same name: begin is
// set again.
func Streams(r io.Reader, data func(s Stream, at time.Time, begin bool, b []byte)) error {
	p, err := NewReader(r)
	if err != nil {
		return err
	}
	halves := map[Stream]*half{}
	for {
		pkt, err := p.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		seg, ok := pkt.TCP()
		if !ok {
			continue
		}
		s := Stream{seg.Src, seg.Dst}
		h := halves[s]
		begin := false
		switch {
		case seg.RST:
			delete(halves, s)
			continue
		case seg.SYN:
			halves[s] = &half{next: seg.Seq + 1}
			data(s, pkt.At, true, nil)
			continue
		case h == nil && len(seg.Data) == 0:
			continue
		case h == nil: // the capture began later
			h = &half{next: seg.Seq}
			halves[s] = h
			begin = true
		}
		seg.Data = slices.Clone(seg.Data)
		h.ahead = append(h.ahead, seg)
		if h.size += len(seg.Data); h.size > maxAhead {
			delete(halves, s)
			continue
		}
		h.take(func(b []byte) {
			data(s, pkt.At, begin, b)
			begin = false
		})
	}
}

// take hands out what is next, as long as it is there.
func (h *half) take(data func([]byte)) {
	for {
		i := slices.IndexFunc(h.ahead, func(s Segment) bool { return int32(s.Seq-h.next) <= 0 })
		if i < 0 {
			return
		}
		s := h.ahead[i]
		h.ahead = slices.Delete(h.ahead, i, i+1)
		h.size -= len(s.Data)
		if old := int(h.next - s.Seq); old < len(s.Data) { // the rest was sent before
			data(s.Data[old:])
			h.next = s.Seq + uint32(len(s.Data))
		}
	}
}
