//go:build linux && !race

package docs_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// dns is a name server that knows one name.
type dns struct {
	addr string

	mu  sync.Mutex // guards what follows
	ips []netip.Addr
}

func startDNS(t *testing.T, name string, ips ...string) *dns {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &dns{addr: conn.LocalAddr().String()}
	d.answer(ips...)
	var done sync.WaitGroup
	done.Go(func() { // ends when the cleanup closes conn
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := d.reply(b[:n], name); answer != nil {
				_, _ = conn.WriteTo(answer, from) // the other side asks again
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		done.Wait()
	})
	return d
}

// answer has the name mean these addresses from now on.
func (d *dns) answer(ips ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ips = nil
	for _, ip := range ips {
		d.ips = append(d.ips, netip.MustParseAddr(ip))
	}
}

// reply answers a query (RFC 1035, section 4) for the name's IPv4 addresses; there
// are no other records of it.
func (d *dns) reply(query []byte, name string) []byte {
	const head = 12
	end := head + len(name) + 2 // labels have their lengths in front of them
	if len(query) < end+4 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	ips := d.ips
	if kind := binary.BigEndian.Uint16(query[end:]); kind != 1 {
		ips = nil
	}
	b := append([]byte{}, query[:end+4]...)
	binary.BigEndian.PutUint16(b[2:], 0x8580) // an answer, without an error
	binary.BigEndian.PutUint16(b[6:], uint16(len(ips)))
	binary.BigEndian.PutUint32(b[8:], 0) // nothing else
	for _, ip := range ips {
		// The query's name, A, IN, for a second, four bytes.
		b = append(b, 0xc0, head, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
		b = append(b, ip.AsSlice()...)
	}
	return b
}
