//go:build unix && !race

package visitors_test

import (
	"bufio"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// site is the server behind HAProxy. It takes any request, as net/http would not,
// and remembers what HAProxy said about it.
type site struct {
	addr string

	mu    sync.Mutex // guards seen
	seen  map[string][]visit
	conns sync.WaitGroup
}

// visit is a request that reached the site.
type visit struct {
	line    string // the request line
	verdict string
	why     string // why there is no verdict
}

// Headers that tests add. caseHeader is sent by the visitor, the others by HAProxy.
const (
	caseHeader    = "x-test-case"
	verdictHeader = "x-test-verdict"
	whyHeader     = "x-test-why"
)

func startSite(t *testing.T) *site {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &site{addr: ln.Addr().String(), seen: map[string][]visit{}}
	s.conns.Go(func() { // ends when the cleanup closes ln
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.conns.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, ln.Close())
		s.conns.Wait()
	})
	return s
}

// serve answers one request. The body of the request is not read: HAProxy gets the
// response all the same.
func (s *site) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 128<<10)
	line, err := r.ReadString('\n')
	if err != nil {
		return // HAProxy opens a connection and goes away where the visitor does
	}
	v, name := visit{line: strings.TrimSpace(line)}, ""
	for {
		text, err := r.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimRight(text, "\r\n")
		if text == "" {
			break
		}
		key, value, _ := strings.Cut(text, ":")
		switch textproto.TrimString(strings.ToLower(key)) {
		case caseHeader:
			name = textproto.TrimString(value)
		case verdictHeader:
			v.verdict = textproto.TrimString(value)
		case whyHeader:
			v.why = textproto.TrimString(value)
		}
	}
	s.mu.Lock()
	s.seen[name] = append(s.seen[name], v)
	s.mu.Unlock()
	_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")) // HAProxy may be gone
}

// visits returns the visits of a case, and forgets them.
func (s *site) visits(name string) []visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.seen[name]
	delete(s.seen, name)
	return v
}
