package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rubbish is the answers of a broken target to one request after the other, instead of a
// response. Each goes on as long as the agent reads.
var rubbish = []func(w io.Writer){
	func(w io.Writer) { fmt.Fprint(w, "SSH-2.0-x\r\n") },
	func(io.Writer) {},
	func(w io.Writer) { repeat(w, "HTTP/1.1 200 OK\r\n", "X-A: "+strings.Repeat("a", 1000)+"\r\n") },
	func(w io.Writer) { repeat(w, "HTTP/1.1 200 OK\r\nX-A: ", "a") },
	func(w io.Writer) { repeat(w, "", "HTTP/1.1 100 Continue\r\n\r\n") },
	func(w io.Writer) { repeat(w, "HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("b", 4096)) },
	func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n") },
	func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx") },
	func(w io.Writer) {
		repeat(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("e", 2000)+"\r\nb\r\n")
	},
	func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n") },
	func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 307 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") },
	func(w io.Writer) {
		fmt.Fprint(w, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	},
	// HTTP/2: SETTINGS, then PINGs; then a GOAWAY for all streams.
	func(w io.Writer) {
		repeat(w, "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678")
	},
	func(w io.Writer) {
		fmt.Fprint(w, "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	},
}

// repeat writes first and then a text again and again, until the other side closes.
func repeat(w io.Writer, first, text string) {
	_, err := io.WriteString(w, first)
	for err == nil {
		_, err = io.WriteString(w, text)
	}
}

// TestRubbish: a target whose answers are no HTTP, or have no end, costs a bounded amount of
// memory, and another target gets its copies.
func TestRubbish(t *testing.T) {
	for _, version := range []string{"1", "2"} {
		t.Run("HTTP "+version, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer ln.Close()
			go func() { // ends with the listener
				for i := 0; ; i++ {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					go func() { // ends with the connection, which the agent closes
						defer conn.Close()
						if _, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
							rubbish[i%len(rubbish)](conn)
						}
					}()
				}
			}()
			good := newSite(t, nil)
			n := 3 * len(rubbish)
			c := withTarget(t, "{name: bad, url: 'http://"+ln.Addr().String()+"', http: "+version+"}\n  - {name: good, url: '"+good.URL+"'}", "-copy-timeout", "5s")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range n {
				c.send(t, "GET", "/", http.Header{"X-Id": {"1"}}, "")
			}
			good.waitForCopies(t, "1", n)
			c.agent.Log.Wait(t, `msg="copies fail" target=bad`)
			c.agent.End(t)
			runtime.ReadMemStats(&after)
			t.Logf("allocated %d MiB", (after.TotalAlloc-before.TotalAlloc)>>20)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(128<<20), "bytes")
		})
	}
}
