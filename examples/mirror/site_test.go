package main_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = servicetest.Patience

// got is a request as its bytes came.
type got struct {
	line    string   // GET /path HTTP/1.1
	headers []string // lines, sorted; but for those of the connection
	body    string
}

// site records what it gets, by the header X-Id.
type site struct {
	*httptest.Server
	mu  sync.Mutex // guards got
	got map[string][]got
}

// newSite starts a site. It answers as answer does, which may be nil.
func newSite(t *testing.T, answer http.HandlerFunc) *site {
	t.Helper()
	s := &site{got: make(map[string][]got)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.mu.Lock()
		s.got[r.Header.Get("X-Id")] = append(s.got[r.Header.Get("X-Id")], readHead(r.Context(), string(body)))
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	s.Listener = tapped{s.Listener}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// addr is the site's host and port.
func (s *site) addr() string { return strings.TrimPrefix(s.URL, "http://") }

// all returns a copy of the requests received so far.
func (s *site) all() map[string][]got {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]got, len(s.got))
	for id, reqs := range s.got {
		all[id] = slices.Clone(reqs)
	}
	return all
}

// waitFor waits until requests with n ids come.
func (s *site) waitFor(t *testing.T, n int) map[string][]got {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.all()) >= n }, 4*patience, 5*time.Millisecond, "requests did not come")
	return s.all()
}

// waitForCopies waits until n requests with the id come.
func (s *site) waitForCopies(t *testing.T, id string, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.all()[id]) >= n }, 4*patience, 5*time.Millisecond, "requests did not come")
	require.Len(t, s.all()[id], n)
}

// tapped keeps the bytes that its connections read.
type tapped struct{ net.Listener }

func (l tapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &tappedConn{Conn: c}, err
}

type tappedConn struct {
	net.Conn
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (c *tappedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf.Write(b[:n])
	return n, err
}

type connKey struct{}

// ofConnection are the headers that belong to a connection or give the body's length:
// HAProxy's and the mirror's connections differ.
var ofConnection = []string{"connection", "keep-alive", "te", "transfer-encoding", "content-length"}

// readHead takes a request's head from its connection: the client sends no other
// request before this one is answered.
func readHead(ctx context.Context, body string) got {
	c := ctx.Value(connKey{}).(*tappedConn)
	c.mu.Lock()
	defer c.mu.Unlock()
	head, _, _ := strings.Cut(c.buf.String(), "\r\n\r\n")
	c.buf.Reset()
	lines := strings.Split(head, "\r\n")
	headers := slices.DeleteFunc(lines[1:], func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return slices.Contains(ofConnection, strings.ToLower(name))
	})
	for i, line := range headers { // the only name that net/http spells in its own way
		if host, ok := strings.CutPrefix(line, "Host:"); ok {
			headers[i] = "host:" + host
		}
	}
	slices.SortStableFunc(headers, func(a, b string) int { // the order of one name's lines stays
		nameA, _, _ := strings.Cut(a, ":")
		nameB, _, _ := strings.Cut(b, ":")
		return strings.Compare(nameA, nameB)
	})
	return got{line: lines[0], headers: headers, body: body}
}
