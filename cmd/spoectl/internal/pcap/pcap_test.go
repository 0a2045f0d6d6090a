package pcap_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/pcap"
)

// packet is an IPv4 packet from 127.0.0.1:1000 to 127.0.0.1:9000.
func packet(seq uint32, flags byte, data string) []byte {
	b := make([]byte, 40)
	b[0], b[9] = 0x45, 6
	binary.BigEndian.PutUint16(b[2:], uint16(40+len(data)))
	copy(b[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	binary.BigEndian.PutUint16(b[20:], 1000)
	binary.BigEndian.PutUint16(b[22:], 9000)
	binary.BigEndian.PutUint32(b[24:], seq)
	b[32], b[33] = 5<<4, flags
	return append(b, data...)
}

func ipv6Packet(seq uint32, data string) []byte {
	b := make([]byte, 40)
	b[0], b[6] = 0x60, 6
	binary.BigEndian.PutUint16(b[4:], uint16(20+len(data)))
	b[23], b[39] = 1, 1
	return append(b, packet(seq, 0, data)[20:]...)
}

func ether(kind []byte, p []byte) []byte { return append(append(make([]byte, 12), kind...), p...) }

func file(order binary.ByteOrder, magic, link uint32, packets ...[]byte) []byte {
	b := make([]byte, 24)
	order.PutUint32(b, magic)
	order.PutUint16(b[4:], 2)
	order.PutUint16(b[6:], 4)
	order.PutUint32(b[16:], 256<<10)
	order.PutUint32(b[20:], link)
	for i, p := range packets {
		h := make([]byte, 16)
		order.PutUint32(h, uint32(i))
		order.PutUint32(h[4:], 5)
		order.PutUint32(h[8:], uint32(len(p)))
		order.PutUint32(h[12:], uint32(len(p)))
		b = append(append(b, h...), p...)
	}
	return b
}

func block(kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	size := uint32(len(body) + 12)
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = append(binary.LittleEndian.AppendUint32(b, size), body...)
	return binary.LittleEndian.AppendUint32(b, size)
}

func ng(link uint16, packets ...[]byte) []byte {
	section := binary.LittleEndian.AppendUint32(nil, 0x1a2b3c4d)
	b := block(0x0a0d0d0a, append(section, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255))
	iface := binary.LittleEndian.AppendUint16(nil, link)
	b = append(b, block(1, append(iface, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0))...)
	for i, p := range packets {
		e := make([]byte, 20)
		ticks := uint64(i)*1e9 + 5000
		binary.LittleEndian.PutUint32(e[4:], uint32(ticks>>32))
		binary.LittleEndian.PutUint32(e[8:], uint32(ticks))
		binary.LittleEndian.PutUint32(e[12:], uint32(len(p)))
		b = append(b, block(6, append(e, p...))...)
	}
	return b
}

func TestStreams(t *testing.T) {
	const syn, rst = 2, 4
	plain := [][]byte{packet(99, syn, ""), packet(100, 0, "ab"), packet(102, 0, "cd")}
	v4, v6, vlan := []byte{8, 0}, []byte{0x86, 0xdd}, []byte{0x81, 0, 0, 7, 8, 0}
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"raw IP", file(binary.LittleEndian, 0xa1b2c3d4, 101, plain...), "^abcd"},
		{"other byte order, nanoseconds", file(binary.BigEndian, 0xa1b23c4d, 101, plain...), "^abcd"},
		{"pcapng", ng(101, plain...), "^abcd"},
		{"Ethernet", file(binary.LittleEndian, 0xa1b2c3d4, 1, ether(v4, plain[0]), ether(vlan, plain[1]), ether(v4, plain[2])), "^abcd"},
		{"IPv6", file(binary.LittleEndian, 0xa1b2c3d4, 1, ether(v6, ipv6Packet(7, "xy"))), "^xy"},
		{"loopback", file(binary.LittleEndian, 0xa1b2c3d4, 0, append([]byte{2, 0, 0, 0}, plain[1]...)), "^ab"},
		{"cooked", file(binary.LittleEndian, 0xa1b2c3d4, 113, append(append(make([]byte, 14), v4...), plain[1]...)), "^ab"},
		{"padding of Ethernet", file(binary.LittleEndian, 0xa1b2c3d4, 1, ether(v4, append(packet(1, 0, ""), 0, 0, 0, 0, 0, 0)), ether(v4, append(packet(1, 0, "a"), 0, 0))), "^a"},
		{"begun later", file(binary.LittleEndian, 0xa1b2c3d4, 101, plain[1:]...), "^abcd"},
		{"out of order, twice", file(binary.LittleEndian, 0xa1b2c3d4, 101, plain[0], plain[2], plain[2], plain[1], plain[1], packet(103, 0, "de")), "^abcde"},
		{"around the end of the numbers", file(binary.LittleEndian, 0xa1b2c3d4, 101, packet(0xffffffff, 0, "ab"), packet(1, 0, "cd")), "^abcd"},
		{"a segment missing", file(binary.LittleEndian, 0xa1b2c3d4, 101, plain[0], plain[2]), "^^cd"},
		{"again after a reset", file(binary.LittleEndian, 0xa1b2c3d4, 101, plain[1], packet(102, rst, ""), packet(7, syn, ""), packet(8, 0, "x")), "^ab^x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.True(t, pcap.Is(tt.file))
			got := ""
			err := pcap.Streams(bytes.NewReader(tt.file), func(s pcap.Stream, at time.Time, begin bool, _ int, b []byte) {
				assert.EqualValues(t, 1000, s.Src.Port())
				assert.EqualValues(t, 9000, s.Dst.Port())
				assert.Equal(t, s, s.Reverse().Reverse())
				assert.Less(t, at.Unix(), int64(10))
				if begin {
					got += "^"
				}
				got += string(b)
			})
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestDamaged(t *testing.T) {
	whole := file(binary.LittleEndian, 0xa1b2c3d4, 101, packet(1, 0, "ab"))
	huge := bytes.Clone(whole)
	huge[24+8+3] = 0xff
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not a capture"},
		{"text", []byte("hello"), "not a capture"},
		{"head", whole[:10], "within a packet or within its head"},
		{"packet", whole[:len(whole)-1], "within a packet"},
		{"length", huge, "damaged"},
		{"block", append([]byte{0x0a, 0x0d, 0x0d, 0x0a, 1, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a}, make([]byte, 64)...), "the capture"},
		{"block cut", ng(101)[:20], "within a packet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := pcap.Streams(bytes.NewReader(tt.file), func(pcap.Stream, time.Time, bool, int, []byte) {})
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Segments behind a lost one cost time in proportion to their length, not to its square,
// and later ones are handed on.
func TestLostSegment(t *testing.T) {
	const size, total = 1 << 10, 16 << 20
	packets := [][]byte{packet(0, 2, "")}
	for at := size; at < total; at += size { // the first segment is missing
		packets = append(packets, packet(uint32(at+1), 0, strings.Repeat("x", size)))
	}
	capture := file(binary.LittleEndian, 0xa1b2c3d4, 101, packets...)
	got, gaps := 0, []int(nil)
	begin := time.Now()
	require.NoError(t, pcap.Streams(bytes.NewReader(capture), func(_ pcap.Stream, _ time.Time, _ bool, lost int, b []byte) {
		got += len(b)
		if lost != 0 {
			gaps = append(gaps, lost)
		}
	}))
	assert.Less(t, time.Since(begin), 15*time.Second)
	assert.Equal(t, []int{size}, gaps)
	assert.Equal(t, total-size, got)
}

func FuzzStreams(f *testing.F) {
	f.Add(file(binary.LittleEndian, 0xa1b2c3d4, 101, packet(1, 0, "ab")))
	f.Add(ng(1, ether([]byte{8, 0}, packet(1, 0, "ab"))))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = pcap.Streams(bytes.NewReader(b), func(pcap.Stream, time.Time, bool, int, []byte) {})
	})
}
