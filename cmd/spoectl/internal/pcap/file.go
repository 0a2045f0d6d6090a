package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Magic numbers at the beginning of a capture.
const (
	magicMicro   = 0xa1b2c3d4
	magicNano    = 0xa1b23c4d
	magicSection = 0x0a0d0d0a // pcapng
)

// Is reports whether a file that begins with b is a capture.
func Is(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	little, big := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)
	for _, magic := range []uint32{magicMicro, magicNano} {
		if little == magic || big == magic {
			return true
		}
	}
	return little == magicSection
}

// source reads packets.
type source struct {
	read func() ([]byte, gopacket.CaptureInfo, error)
	link func(gopacket.CaptureInfo) layers.LinkType
}

func open(r io.Reader) (*source, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(4)
	if err != nil || !Is(head) {
		return nil, errors.New("this is not a capture: it begins neither like pcap nor like pcapng")
	}
	if binary.LittleEndian.Uint32(head) == magicSection {
		ng, err := pcapgo.NewNgReader(b, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, damaged(err)
		}
		return &source{ng.ReadPacketData, func(ci gopacket.CaptureInfo) layers.LinkType {
			link, _ := ci.AncillaryData[0].(layers.LinkType)
			return link
		}}, nil
	}
	p, err := pcapgo.NewReader(b)
	if err != nil {
		return nil, damaged(err)
	}
	return &source{p.ReadPacketData, func(gopacket.CaptureInfo) layers.LinkType { return p.LinkType() & 0xffff }}, nil
}

func damaged(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the capture ends within a packet or within its head")
	default:
		return fmt.Errorf("the capture is damaged: %w", err)
	}
}

// next returns the next packet, io.EOF after the last.
func (s *source) next() (gopacket.Packet, error) {
	data, ci, err := s.read()
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, damaged(err)
	}
	pkt := gopacket.NewPacket(data, s.link(ci), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	pkt.Metadata().CaptureInfo = ci
	return pkt, nil
}
