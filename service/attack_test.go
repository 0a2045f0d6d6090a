package service_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// An address that other machines may reach needs a token, however it is written.
func TestAdminElsewhereNeedsToken(t *testing.T) {
	for _, addr := range []string{":6060", "0.0.0.0:6060", "[::]:6060", "192.0.2.1:6060", "*:6060", "127.0.0.1.example:6060", "example:6060", "[::ffff:192.0.2.1]:6060", "0:6060"} {
		status, _, stderr := servicetest.Once(t, newAgent(), nil, "-admin-listen", addr, "-t")
		assert.Equal(t, 2, status, addr)
		assert.Contains(t, stderr, "is not a loopback address: write 127.0.0.1:6060, or set admin-token, too\n", addr)
	}
	for _, flags := range [][]string{{"-admin-listen", "localhost:6060"}, {"-admin-listen", "[::1]:6060"}, {"-admin-listen", ":6060", "-admin-token", "sesame"}, {"-admin-listen", "off"}} {
		status, _, stderr := servicetest.Once(t, newAgent(), nil, append(flags, "-t")...)
		assert.Zero(t, status, stderr)
	}
}

// asked checks that the agent answers HAProxy.
func asked(t *testing.T, r *servicetest.Agent, args ...spoetest.Argument) {
	t.Helper()
	haproxy, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	for range 100 {
		_, err := haproxy.Ask(t.Context(), "ask", args...)
		require.NoError(t, err)
	}
}

// Hundreds who connect to the admin address, and send and read as slowly as they can,
// disturb neither the agent nor a client that asks after them.
func TestAdminUnderAttack(t *testing.T) {
	r := servicetest.Start(t, newAgent())
	r.Addr(t) // the page is there from then on
	addr := strings.TrimPrefix(r.Admin(t), "http://")
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for i, first := range []string{
		"",                                   // says nothing
		"GET /metrics HTTP/1.1\r\nHost: loc", // half a request
		"GET /inspect/events HTTP/1.1\r\nHost: localhost\r\n\r\n",                                       // reads nothing
		"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx",             // a body without an end
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Big: " + strings.Repeat("x", 1<<18) + "\r\n\r\n", // a header that is too large
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",                                              // stays
	} {
		for range 50 {
			c, err := net.DialTimeout("tcp", addr, servicetest.Patience)
			require.NoError(t, err, i)
			conns = append(conns, c)
			_, _ = io.WriteString(c, first) // the server may have refused it
		}
	}
	asked(t, r, spoetest.Arg("big", strings.Repeat("x", 4000)))
	require.Eventually(t, func() bool { // the server closes silent connections
		c := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := c.Get("http://" + addr + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 4*servicetest.Patience, 100*time.Millisecond)
	r.Stop()
	assert.Zero(t, <-r.Ended)
}

// Two hundred open the page and read nothing. Some get it, and the agent goes on.
func TestSlowPages(t *testing.T) {
	r := servicetest.Start(t, newAgent())
	r.Addr(t) // the page is there from then on
	addr := strings.TrimPrefix(r.Admin(t), "http://")
	var conns []net.Conn
	for range 200 {
		c, err := net.DialTimeout("tcp", addr, servicetest.Patience)
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.(*net.TCPConn).SetReadBuffer(4096))
		_, err = io.WriteString(c, "GET /inspect/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		conns = append(conns, c)
	}
	asked(t, r, spoetest.Arg("big", strings.Repeat("x", 2000)))
	got := map[string]int{}
	for _, c := range conns {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(servicetest.Patience)))
		line, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err)
		got[strings.TrimSpace(line)]++
	}
	assert.Equal(t, map[string]int{"HTTP/1.1 200 OK": 16, "HTTP/1.1 503 Service Unavailable": 184}, got)
	asked(t, r)
	r.Stop()
	assert.Zero(t, <-r.Ended)
}

// Files and signals come at the same time, again and again, while HAProxy asks.
func TestReloadRaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	servicetest.WriteFile(t, file, "score: 1\n")
	r := servicetest.Start(t, newAgent(), "-config", file)
	r.Addr(t)
	var others sync.WaitGroup
	for i := range 3 {
		others.Go(func() { // ends by itself
			for n := range 20 {
				name := fmt.Sprintf("%s.%d", file, i)
				if err := os.WriteFile(name, fmt.Appendf(nil, "score: %d\n", n), 0o600); err == nil {
					_ = os.Rename(name, file)
				}
				r.Reload <- os.Interrupt
			}
		})
	}
	asked(t, r)
	others.Wait()
	asked(t, r)
	servicetest.WriteFile(t, file, "score: 77\n")
	r.Reload <- os.Interrupt
	require.Eventually(t, func() bool { return score(t, r) == 77 }, servicetest.Patience, 10*time.Millisecond)
	r.Stop()
	assert.Zero(t, <-r.Ended)
}

// A folder, a device and a broken link replace the file, and then it comes back.
func TestReloadOfOddFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.yaml")
	servicetest.WriteFile(t, file, "score: 1\n")
	servicetest.WriteFile(t, filepath.Join(dir, "other.yaml"), "score: 2\n")
	r := servicetest.Start(t, newAgent(), "-config", file)
	assert.Equal(t, 1, score(t, r))
	for i, tt := range []struct {
		name    string
		replace func() error
		want    string
	}{
		{"removed", func() error { return nil }, `agent.yaml: no such file or directory: give -config a file that is there`},
		{"folder", func() error { return os.Mkdir(file, 0o700) }, `agent.yaml: is not a regular file: give -config a YAML file`},
		{"link to itself", func() error { return os.Symlink(file, file) }, `agent.yaml: too many levels of symbolic links`},
		{"device", func() error { return os.Symlink("/dev/zero", file) }, `agent.yaml: is not a regular file: give -config a YAML file`},
	} {
		require.NoError(t, os.RemoveAll(file), tt.name)
		require.NoError(t, tt.replace(), tt.name)
		r.Reload <- os.Interrupt
		// The lines of file changes are others: this one is the answer to this signal.
		r.Log.Wait(t, fmt.Sprintf(`(?s)(reason=signal.*){%d}`, i+1)+tt.want)
		assert.Equal(t, 1, score(t, r), tt.name)
	}
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink("other.yaml", file)) // seen without a signal
	r.Log.Wait(t, `msg="configuration reloaded" reason="a file has changed"`)
	assert.Equal(t, 2, score(t, r))
}

// SIGTERM ends a program that is still loading, whether Setup heeds its context or
// succeeds nevertheless.
func TestEndDuringSlowStart(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		t.Run(fmt.Sprintf("heeds %v", heeds), func(t *testing.T) {
			a := newAgent()
			setup, begun := a.Setup, make(chan struct{})
			a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
				close(begun)
				<-ctx.Done()
				if heeds {
					return ctx.Err()
				}
				return setup(ctx, s)
			}
			r := servicetest.Start(t, a)
			<-begun
			_, text := servicetest.Get(t, r.Admin(t)+"/readyz")
			assert.Equal(t, "not ready: starting\n", text)
			r.Stop()
			assert.Zero(t, <-r.Ended)
		})
	}
}
