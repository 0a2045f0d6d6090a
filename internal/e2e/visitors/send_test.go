//go:build unix && !race

package visitors_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sendLimit bounds one request: HAProxy need not send a response. By then the site has
// the request, or never gets it.
const sendLimit = 5 * time.Second

// send sends a request, waits until the connection or the stream ends, and returns the
// answer.
func (r *request) send(t *testing.T, http1, http2, name string) (answer string) {
	t.Helper()
	addr, text := http1, r.http1(name)
	if r.h2 != nil {
		addr, text = http2, r.http2(name)
	}
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(sendLimit)))
	// HAProxy may refuse the request before it reads all of it.
	_, _ = io.WriteString(conn, text)
	if r.halfClose {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	if r.h2 != nil {
		return readStream(conn)
	}
	return readResponse(conn)
}

func (r *request) http1(name string) string {
	end := "\r\n"
	if !strings.Contains(r.raw, "\r") {
		end = "\n"
	}
	text := r.raw + "Connection: close" + end + caseHeader + ": " + name + end + end + r.body
	if strings.Contains(r.raw, "Connection:") {
		text = strings.Replace(text, "Connection: close"+end, "", 1)
	}
	return text
}

// readResponse returns when the response's head arrives or, in most cases, when the
// connection ends.
func readResponse(conn net.Conn) string {
	var all bytes.Buffer
	b := make([]byte, 64<<10)
	for {
		n, err := conn.Read(b)
		all.Write(b[:n])
		// HAProxy says 100 and 101 before the response proper.
		if _, body, ok := strings.Cut(all.String(), "\r\n\r\n"); err != nil || ok && !strings.HasPrefix(all.String(), "HTTP/1.1 100") && strings.HasSuffix(body, "ok") {
			return all.String()
		}
	}
}

// Frames of HTTP/2 (RFC 9113, 6).
const (
	frameHeaders   = 1
	frameRSTStream = 3
	frameSettings  = 4
	frameGoAway    = 7

	flagEndStream  = 1
	flagEndHeaders = 4
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = append(b, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	return append(b, payload...)
}

// http2 is a connection with one request.
func (r *request) http2(name string) string {
	var block []byte
	for _, f := range append(r.h2[:len(r.h2):len(r.h2)], field{caseHeader, name}) {
		block = append(block, 0) // a literal that is not indexed, its name new (RFC 7541, 6.2.2)
		block = append(appendString(block, f.name), ""...)
		block = appendString(block, f.value)
	}
	return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + string(frame(frameSettings, 0, 0, nil)) +
		string(frame(frameHeaders, flagEndStream|flagEndHeaders, 1, block))
}

// appendString appends a string literal without Huffman's code (RFC 7541, 5.2).
func appendString(b []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		b = append(b, byte(n))
	} else {
		b = append(b, 127)
		for n -= 127; n >= 128; n >>= 7 {
			b = append(b, byte(n)|128)
		}
		b = append(b, byte(n))
	}
	return append(b, s...)
}

// readStream reads frames until stream 1 or the connection ends, and names
// them.
func readStream(conn net.Conn) string {
	var said []string
	head := make([]byte, 9)
	for {
		if _, err := io.ReadFull(conn, head); err != nil {
			return strings.Join(append(said, err.Error()), " ")
		}
		n := int(binary.BigEndian.Uint32(head[:4]) >> 8)
		kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
		payload := make([]byte, n)
		if _, err := io.ReadFull(conn, payload); err != nil {
			return strings.Join(append(said, err.Error()), " ")
		}
		said = append(said, fmt.Sprintf("frame(%d,%d,%d)", kind, flags, stream))
		if kind == frameGoAway || stream == 1 && (kind == frameRSTStream || flags&flagEndStream != 0) {
			return strings.Join(said, " ")
		}
	}
}
