// Package proxyheader reads headers of the PROXY protocol, versions 1 and 2.
package proxyheader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

const (
	// v2 begins a PROXY protocol header of version 2.
	v2 = "\r\n\r\n\x00\r\nQUIT\n"
	// maxV1 is the longest header of version 1, its CRLF included.
	maxV1 = 107
	// maxV2 bounds the addresses and TLVs after the 16 fixed bytes of version 2.
	maxV2 = 16 << 10
)

// Err is the error of a PROXY header that is malformed or missing.
var Err = errors.New("spoe: PROXY header")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", Err, fmt.Sprintf(format, args...))
}

// Read reads a PROXY protocol header of version 1 or 2, and not one
// byte more. The address is nil where the header names none: the balancer's own
// health check (LOCAL), or a family that the header does not know (UNKNOWN).
func Read(r io.Reader) (net.Addr, error) {
	start := make([]byte, len(v2), maxV1)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, err
	}
	switch {
	case string(start) == v2:
		return readV2(r)
	case bytes.HasPrefix(start, []byte("PROXY ")):
		return readV1(r, start)
	}
	return nil, malformed("none, where Agent.AcceptProxy wants one: set send-proxy-v2 on the balancer, or unset AcceptProxy")
}

func readV1(r io.Reader, line []byte) (net.Addr, error) {
	for !bytes.HasSuffix(line, []byte("\n")) {
		if len(line) == maxV1 {
			return nil, malformed("version 1, longer than %d bytes", maxV1)
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return nil, err
		}
	}
	bad := malformed("malformed: %q", line)
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return nil, bad
	}
	words := strings.Split(text, " ")
	if words[1] == "UNKNOWN" {
		return nil, nil
	}
	if len(words) != 6 {
		return nil, bad
	}
	source, err := netip.ParseAddrPort(net.JoinHostPort(words[2], words[4]))
	if err != nil || source.Addr().Zone() != "" {
		return nil, bad
	}
	if is4 := source.Addr().Is4(); words[1] == "TCP4" && is4 || words[1] == "TCP6" && !is4 {
		return net.TCPAddrFromAddrPort(source), nil
	}
	return nil, bad
}

func readV2(r io.Reader) (net.Addr, error) {
	var head [4]byte // version and command, family and transport, length
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[2:]))
	version, command := head[0]>>4, head[0]&0xf
	switch {
	case version != 2 || command > 1:
		return nil, malformed("version and command are 0x%02x; 0x20 (LOCAL) and 0x21 (PROXY) are known", head[0])
	case n > maxV2:
		return nil, malformed("version 2 announces %d bytes; the agent takes up to %d", n, maxV2)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	if command == 0 {
		return nil, nil
	}
	size := 0 // of an address
	switch family := head[1] >> 4; family {
	case 1:
		size = 4
	case 2:
		size = 16
	default: // unspecified, or a unix socket
		return nil, nil
	}
	if n < 2*size+4 {
		return nil, malformed("version 2 with %d bytes; its addresses and ports take %d", n, 2*size+4)
	}
	ip, _ := netip.AddrFromSlice(body[:size])
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(body[2*size:]))), nil
}
