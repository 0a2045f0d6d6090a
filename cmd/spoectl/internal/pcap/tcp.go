package pcap

import (
	"encoding/binary"
	"net/netip"
)

// Segment is what a packet says of TCP.
type Segment struct {
	Src, Dst      netip.AddrPort
	Seq           uint32
	SYN, FIN, RST bool
	Data          []byte
}

// LINKTYPE_ numbers.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRaw12    = 12
	linkRaw14    = 14
	linkRaw      = 101
	linkLoop     = 108
	linkCooked   = 113
	linkCooked2  = 276
)

const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherVLAN  = 0x8100
	etherQinQ  = 0x88a8
	protoTCP   = 6
	ipv6Header = 40
)

// TCP reads a packet; ok is false for one that is no TCP, or not whole.
func (p Packet) TCP() (s Segment, ok bool) {
	b := p.Data
	switch p.Link {
	case linkEthernet:
		b = ethernet(b)
	case linkCooked:
		b = from(b, 16)
	case linkCooked2:
		b = from(b, 20)
	case linkNull, linkLoop:
		b = from(b, 4)
	case linkRaw, linkRaw12, linkRaw14:
	default:
		return s, false
	}
	if len(b) == 0 {
		return s, false
	}
	switch b[0] >> 4 {
	case 4:
		return ipv4(b)
	case 6:
		return ipv6(b)
	}
	return s, false
}

func from(b []byte, n int) []byte {
	if len(b) < n {
		return nil
	}
	return b[n:]
}

func ethernet(b []byte) []byte {
	for at := 12; at+2 <= len(b); at += 4 {
		switch binary.BigEndian.Uint16(b[at:]) {
		case etherIPv4, etherIPv6:
			return b[at+2:]
		case etherVLAN, etherQinQ:
			continue
		}
		break
	}
	return nil
}

func ipv4(b []byte) (s Segment, ok bool) {
	if len(b) < 20 || b[9] != protoTCP || binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // a fragment
		return s, false
	}
	head, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 { // left to the network card
		total = len(b)
	}
	if head < 20 || total < head || total > len(b) {
		return s, false
	}
	src, _ := netip.AddrFromSlice(b[12:16])
	dst, _ := netip.AddrFromSlice(b[16:20])
	return tcp(src, dst, b[head:total])
}

func ipv6(b []byte) (s Segment, ok bool) {
	if len(b) < ipv6Header || b[6] != protoTCP { // extension headers are none of an agent's network
		return s, false
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n == 0 {
		n = len(b) - ipv6Header
	}
	if ipv6Header+n > len(b) {
		return s, false
	}
	src, _ := netip.AddrFromSlice(b[8:24])
	dst, _ := netip.AddrFromSlice(b[24:40])
	return tcp(src, dst, b[ipv6Header:ipv6Header+n])
}

func tcp(src, dst netip.Addr, b []byte) (s Segment, ok bool) {
	if len(b) < 20 {
		return s, false
	}
	head := int(b[12]>>4) * 4
	if head < 20 || head > len(b) {
		return s, false
	}
	return Segment{
		Src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(b)),
		Dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[2:])),
		Seq: binary.BigEndian.Uint32(b[4:]),
		FIN: b[13]&1 != 0, SYN: b[13]&2 != 0, RST: b[13]&4 != 0,
		Data: b[head:],
	}, true
}
