package pcap

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"
)

// Stream is one direction of a TCP connection.
type Stream struct{ Src, Dst netip.AddrPort }

// Reverse is the other direction.
func (s Stream) Reverse() Stream { return Stream{s.Dst, s.Src} }

// Bounds of the data that waits behind a missing segment, in pages of the reassembler,
// each of up to 1900 bytes of one packet.
const (
	maxPages      = 4 << 10
	maxPagesInAll = 16 << 10
)

// Data receives a stream's bytes, in order.
//
// begin is set for the first bytes of a stream and for those behind a gap. A new
// connection between the same ports is another stream with the same name. lost is
// the number of bytes before b that the capture lacks, -1 where that is unknown.
type Data func(s Stream, at time.Time, begin bool, lost int, b []byte)

// Streams reads a capture and calls data for the TCP streams in it.
func Streams(r io.Reader, data Data) error {
	src, err := open(r)
	if err != nil {
		return err
	}
	conns := &connections{data: data, ids: map[Stream]uint32{}}
	asm := reassembly.NewAssembler(reassembly.NewStreamPool(conns))
	asm.MaxBufferedPagesPerConnection = maxPages
	asm.MaxBufferedPagesTotal = maxPagesInAll
	for {
		pkt, err := src.next()
		if errors.Is(err, io.EOF) {
			asm.FlushAll()
			return nil
		}
		if err != nil {
			asm.FlushAll()
			return err
		}
		tcp, stream, ok := segment(pkt)
		if !ok {
			continue
		}
		conns.at(stream, tcp)
		asm.AssembleWithContext(conns.flow(stream), tcp, captured{pkt.Metadata().CaptureInfo, stream})
	}
}

// segment returns the TCP layer of a packet.
func segment(pkt gopacket.Packet) (*layers.TCP, Stream, bool) {
	tcp, ok := pkt.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok || pkt.NetworkLayer() == nil {
		return nil, Stream{}, false
	}
	src, dst := pkt.NetworkLayer().NetworkFlow().Endpoints()
	from, ok1 := netip.AddrFromSlice(src.Raw())
	to, ok2 := netip.AddrFromSlice(dst.Raw())
	return tcp, Stream{netip.AddrPortFrom(from, uint16(tcp.SrcPort)), netip.AddrPortFrom(to, uint16(tcp.DstPort))}, ok1 && ok2
}

// captured is the reassembler's context: the packet's time and stream.
type captured struct {
	ci     gopacket.CaptureInfo
	stream Stream
}

func (c captured) GetCaptureInfo() gopacket.CaptureInfo { return c.ci }

// connections numbers connections. The reassembler knows them by number rather
// than by address, so that ports that are used again make another connection.
type connections struct {
	data Data
	ids  map[Stream]uint32 // both directions of a connection have the same
	last uint32
}

// at sees a segment before the reassembler does.
func (c *connections) at(s Stream, tcp *layers.TCP) {
	_, known := c.ids[s]
	if !known || tcp.SYN && !tcp.ACK {
		c.last++
		c.ids[s], c.ids[s.Reverse()] = c.last, c.last
	}
}

// flow is the connection's number in place of its addresses.
func (c *connections) flow(s Stream) gopacket.Flow {
	id := binary.BigEndian.AppendUint32(nil, c.ids[s])
	if s.Src.Compare(s.Dst) < 0 {
		return gopacket.NewFlow(layers.EndpointIPv4, append(id, 0), append(id[:4:4], 1))
	}
	return gopacket.NewFlow(layers.EndpointIPv4, append(id, 1), append(id[:4:4], 0))
}

// New makes the reassembler's stream, which is both directions of a connection.
func (c *connections) New(_, _ gopacket.Flow, _ *layers.TCP, ac reassembly.AssemblerContext) reassembly.Stream {
	first := ac.(captured).stream
	return &connection{data: c.data, streams: [2]Stream{first, first.Reverse()}}
}

// connection hands on the bytes of both directions of a connection.
type connection struct {
	data    Data
	streams [2]Stream // of the direction that was seen first, and the other
	begun   [2]bool
	at      time.Time
}

// Accept lets a stream begin where the capture does.
func (c *connection) Accept(tcp *layers.TCP, ci gopacket.CaptureInfo, _ reassembly.TCPFlowDirection, next reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	c.at = ci.Timestamp
	if next == -1 && len(tcp.Payload) > 0 {
		*start = true
	}
	return true
}

func (c *connection) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	dir, _, _, skip := sg.Info()
	n, _ := sg.Lengths()
	i := 0
	if dir == reassembly.TCPDirServerToClient {
		i = 1
	}
	begin := !c.begun[i] || skip != 0
	if n == 0 && !begin {
		return
	}
	c.begun[i] = true
	c.data(c.streams[i], c.at, begin, skip, sg.Fetch(n))
}

func (c *connection) ReassemblyComplete(reassembly.AssemblerContext) bool { return true }
