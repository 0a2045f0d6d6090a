package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Packet is one packet as it was captured.
type Packet struct {
	At   time.Time
	Link int // LINKTYPE
	Data []byte
}

// Reader reads packets. It holds one of them at a time.
type Reader struct {
	r     *bufio.Reader
	order binary.ByteOrder
	ng    bool
	nano  bool // pcap: times are in nanoseconds
	link  int  // pcap
	links []iface
}

type iface struct {
	link int
	unit time.Duration // 0: not a divisor of a second, as 2^-n
	exp  uint          // n of 2^-n
}

// maxPacket bounds a packet or a block: snaplen is at most 256 KiB in practice.
const maxPacket = 16 << 20

const (
	magicMicro   = 0xa1b2c3d4
	magicNano    = 0xa1b23c4d
	magicSection = 0x0a0d0d0a
	magicOrder   = 0x1a2b3c4d
)

// Is tells whether a file that begins with b is a capture.
func Is(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	switch le, be := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b); {
	case le == magicSection, le == magicMicro, le == magicNano, be == magicMicro, be == magicNano:
		return true
	}
	return false
}

// NewReader reads the head of a capture.
func NewReader(r io.Reader) (*Reader, error) {
	p := &Reader{r: bufio.NewReader(r)}
	head, err := p.r.Peek(4)
	if err != nil || !Is(head) {
		return nil, errors.New("no capture: neither pcap nor pcapng")
	}
	if binary.LittleEndian.Uint32(head) == magicSection {
		p.ng = true
		return p, nil
	}
	p.order = binary.LittleEndian
	if m := binary.BigEndian.Uint32(head); m == magicMicro || m == magicNano {
		p.order = binary.BigEndian
	}
	p.nano = p.order.Uint32(head) == magicNano
	var b [24]byte
	if _, err := io.ReadFull(p.r, b[:]); err != nil {
		return nil, errors.New("the capture ends within its head")
	}
	p.link = int(p.order.Uint32(b[20:]) & 0xffff)
	return p, nil
}

// Next returns the next packet, io.EOF after the last.
func (p *Reader) Next() (Packet, error) {
	if p.ng {
		return p.nextBlock()
	}
	var b [16]byte
	if _, err := io.ReadFull(p.r, b[:]); err != nil {
		return Packet{}, cut(err)
	}
	n := p.order.Uint32(b[8:])
	data, err := p.take(n)
	if err != nil {
		return Packet{}, err
	}
	fraction := time.Duration(p.order.Uint32(b[4:]))
	if !p.nano {
		fraction *= time.Microsecond
	}
	return Packet{At: time.Unix(int64(p.order.Uint32(b[0:])), int64(fraction)), Link: p.link, Data: data}, nil
}

// cut tells an end within a packet from one behind it.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the capture ends within a packet")
	}
	return err
}

// take reads n bytes; what is not there is not allocated.
func (p *Reader) take(n uint32) ([]byte, error) {
	if n > maxPacket {
		return nil, fmt.Errorf("a packet of %d bytes: the capture is damaged", n)
	}
	b, err := io.ReadAll(io.LimitReader(p.r, int64(n)))
	if err == nil && len(b) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	return b, cut(err)
}

// nextBlock reads pcapng blocks up to a packet.
func (p *Reader) nextBlock() (Packet, error) {
	for {
		head, err := p.r.Peek(12)
		if err != nil {
			if len(head) == 0 {
				return Packet{}, io.EOF
			}
			return Packet{}, cut(io.ErrUnexpectedEOF)
		}
		if binary.LittleEndian.Uint32(head) == magicSection {
			p.order, p.links = binary.LittleEndian, nil
			if binary.BigEndian.Uint32(head[8:]) == magicOrder {
				p.order = binary.BigEndian
			}
		}
		size := p.order.Uint32(head[4:])
		if size < 12 || size%4 != 0 {
			return Packet{}, fmt.Errorf("a block of %d bytes: the capture is damaged", size)
		}
		block, err := p.take(size)
		if err != nil {
			return Packet{}, err
		}
		body := block[8 : size-4]
		switch p.order.Uint32(block) {
		case 1:
			p.describe(body)
		case 6:
			if pkt, ok := p.enhanced(body); ok {
				return pkt, nil
			}
		case 3: // simple: without a time
			if len(p.links) > 0 && len(body) >= 4 {
				n := min(p.order.Uint32(body), uint32(len(body)-4))
				return Packet{Link: p.links[0].link, Data: body[4 : 4+n]}, nil
			}
		}
	}
}

// describe reads an interface description block.
func (p *Reader) describe(body []byte) {
	i := iface{link: -1, unit: time.Microsecond}
	if len(body) >= 8 {
		i.link = int(p.order.Uint16(body))
		for opts := body[8:]; len(opts) >= 4; {
			code, n := p.order.Uint16(opts), int(p.order.Uint16(opts[2:]))
			if code == 9 && n == 1 && len(opts) >= 5 { // if_tsresol
				i.resolution(opts[4])
			}
			if next := 4 + (n+3)&^3; code != 0 && next <= len(opts) {
				opts = opts[next:]
				continue
			}
			break
		}
	}
	p.links = append(p.links, i)
}

func (i *iface) resolution(b byte) {
	if b&0x80 != 0 {
		i.unit, i.exp = 0, uint(b&0x7f)
		return
	}
	i.unit = time.Second
	for range b {
		i.unit /= 10
	}
	i.unit = max(i.unit, 1)
}

func (p *Reader) enhanced(body []byte) (Packet, bool) {
	if len(body) < 20 {
		return Packet{}, false
	}
	id, n := p.order.Uint32(body), p.order.Uint32(body[12:])
	if int64(id) >= int64(len(p.links)) || int64(n) > int64(len(body)-20) {
		return Packet{}, false
	}
	i := p.links[id]
	ticks := uint64(p.order.Uint32(body[4:]))<<32 | uint64(p.order.Uint32(body[8:]))
	var at time.Time
	if i.unit > 0 {
		perSecond := uint64(time.Second / i.unit)
		at = time.Unix(int64(ticks/perSecond), int64(ticks%perSecond)*int64(i.unit))
	} else {
		whole := ticks >> min(i.exp, 63)
		at = time.Unix(int64(whole), 0) // the fraction of such a clock is nobody's
	}
	return Packet{At: at, Link: i.link, Data: body[20 : 20+n]}, true
}
