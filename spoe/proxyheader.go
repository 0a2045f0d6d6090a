package spoe

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/spoke-go/spoke/internal/safetext"
)

const (
	// proxyV2 begins a PROXY protocol header of version 2.
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n"
	// maxProxyV1 is the longest header of version 1, its CRLF included.
	maxProxyV1 = 107
	// maxProxyV2 bounds what follows the 16 fixed bytes of version 2: addresses and
	// TLVs.
	maxProxyV2 = 16 << 10
)

// errProxy is the error of a PROXY header that is malformed or missing.
var errProxy = errors.New("spoe: PROXY header")

func proxyError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errProxy, fmt.Sprintf(format, args...))
}

// acceptProxy reads the PROXY header that a balancer sends first, before TLS,
// and takes the address in it for the connection's peer.
func (c *conn) acceptProxy() error {
	nc := c.nc
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	peer, err := readProxyHeader(nc)
	if err == nil && peer != nil {
		h := *c.haproxy.Load()
		h.peer = peer
		c.haproxy.Store(&h)
	}
	return err
}

// readProxyHeader reads a PROXY protocol header of version 1 or 2, and not one
// byte more. The address is nil where the header names none: the balancer's own
// health check (LOCAL), or a family that the header does not know (UNKNOWN).
func readProxyHeader(r io.Reader) (net.Addr, error) {
	start := make([]byte, len(proxyV2), maxProxyV1)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, err
	}
	switch {
	case string(start) == proxyV2:
		return readProxyV2(r)
	case bytes.HasPrefix(start, []byte("PROXY ")):
		return readProxyV1(r, start)
	}
	return nil, proxyError("none, where Agent.AcceptProxy wants one: set send-proxy-v2 on the balancer, or unset AcceptProxy")
}

func readProxyV1(r io.Reader, line []byte) (net.Addr, error) {
	for !bytes.HasSuffix(line, []byte("\n")) {
		if len(line) == maxProxyV1 {
			return nil, proxyError("version 1, longer than %d bytes", maxProxyV1)
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return nil, err
		}
	}
	bad := proxyError("malformed: %q", safetext.Clip(string(line), maxText))
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

func readProxyV2(r io.Reader) (net.Addr, error) {
	var head [4]byte // version and command, family and transport, length
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[2:]))
	version, command := head[0]>>4, head[0]&0xf
	switch {
	case version != 2 || command > 1:
		return nil, proxyError("version and command are 0x%02x; 0x20 (LOCAL) and 0x21 (PROXY) are known", head[0])
	case n > maxProxyV2:
		return nil, proxyError("version 2 announces %d bytes; the agent takes up to %d", n, maxProxyV2)
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
		return nil, proxyError("version 2 with %d bytes; its addresses and ports take %d", n, 2*size+4)
	}
	ip, _ := netip.AddrFromSlice(body[:size])
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(body[2*size:]))), nil
}
