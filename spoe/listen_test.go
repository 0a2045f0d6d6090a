package spoe_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestUnixSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spoa.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	require.NoError(t, err)
	stale.SetUnlinkOnClose(false)
	stale.Close() // as a process that was killed leaves it

	a := &spoe.Agent{Handler: nothing, SocketMode: 0o660}
	ended := make(chan error, 1)
	go func() { ended <- a.ListenAndServe("unix:" + path) }()
	var c *spoetest.Client
	require.Eventually(t, func() bool {
		c, err = spoetest.Dial(t.Context(), "unix", path)
		return err == nil
	}, eventually, tick)
	defer c.Close()
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o660), info.Mode().Perm())

	_, err = spoe.Listen("unix:" + path)
	assert.ErrorContains(t, err, "another process does; stop it or choose another address")
	_, err = c.Ask(t.Context(), "m")
	assert.NoError(t, err, "the one that listens is left alone")

	require.NoError(t, a.Shutdown(t.Context()))
	assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	assert.NoFileExists(t, path)
}

func TestNoSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err := spoe.Listen("unix:" + path)
	assert.ErrorContains(t, err, "is there and is no socket; remove it or choose another path")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(b))
}

func TestListenForms(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	fd, err := syscall.Dup(int(f.Fd())) // Listen takes it over
	require.NoError(t, err)
	f.Close()
	defer ln.Close()
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "unix:@spoke-test-" + filepath.Base(t.TempDir()), "fd:" + itoa(fd)} {
		ln, err := spoe.Listen(addr)
		if !assert.NoError(t, err, addr) {
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- (&spoe.Agent{Handler: nothing}).Run(ctx, ln) }()
		c, err := spoetest.Dial(t.Context(), ln.Addr().Network(), ln.Addr().String())
		if assert.NoError(t, err, addr) {
			_, err = c.Ask(t.Context(), "m")
			assert.NoError(t, err)
			c.Close()
		}
		cancel()
		assert.NoError(t, <-ended)
	}
}

func TestInheritedListeners(t *testing.T) {
	t.Setenv("LISTEN_PID", "1")
	t.Setenv("LISTEN_FDS", "1")
	lns, err := spoe.InheritedListeners()
	assert.NoError(t, err)
	assert.Empty(t, lns, "they are another process's")

	t.Setenv("LISTEN_PID", itoa(os.Getpid()))
	t.Setenv("LISTEN_FDS", "x")
	_, err = spoe.InheritedListeners()
	assert.EqualError(t, err, `spoe: LISTEN_FDS is "x"; systemd sets it to a number`)
	t.Setenv("LISTEN_FDS", "0")
	lns, err = spoe.InheritedListeners()
	assert.NoError(t, err)
	assert.Empty(t, lns)
}

func TestRunServesAllListeners(t *testing.T) {
	var lns []net.Listener
	for range 3 {
		ln, err := spoe.Listen("127.0.0.1:0")
		require.NoError(t, err)
		lns = append(lns, ln)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a := &spoe.Agent{Handler: nothing}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, lns...) }()
	for _, ln := range lns {
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Ask(t.Context(), "m")
		require.NoError(t, err)
	}
	lns[1].Close() // fatal: it ends all of it, gracefully
	err := <-ended
	assert.ErrorContains(t, err, "spoe: accept on ")
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.Zero(t, a.Stats().Connections)
	assert.EqualValues(t, 3, a.Stats().DisconnectsSent[codec.StatusNormal])
	cancel()
}

// ListenAndRun serves on all of its addresses and ends with its context, without
// an error; where one address cannot be had it leaves none open.
func TestListenAndRun(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.sock"), filepath.Join(dir, "two.sock")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&spoe.Agent{Handler: nothing}).ListenAndRun(ctx, "unix@"+one, "unix@"+two) }()
	for _, path := range []string{one, two} {
		require.Eventually(t, func() bool {
			c, err := spoetest.Dial(t.Context(), "unix", path)
			if err == nil {
				c.Close()
			}
			return err == nil
		}, eventually, tick)
	}
	cancel()
	assert.NoError(t, <-ended)

	err := (&spoe.Agent{Handler: nothing}).ListenAndRun(t.Context(), "unix@"+one, "unix@"+filepath.Join(dir, "none", "two.sock"))
	assert.ErrorContains(t, err, "two.sock")
	assert.NoFileExists(t, one)
	assert.ErrorContains(t, (&spoe.Agent{Handler: nothing}).ListenAndRun(t.Context()), "name an address")
}

// Addresses are those of HAProxy's bind and server lines.
func TestParseAddr(t *testing.T) {
	filled := func(name string) string { return name + string(make([]byte, 107-len(name))) }
	for _, tt := range []struct{ addr, network, address string }{
		{"127.0.0.1:9000", "tcp", "127.0.0.1:9000"},
		{"[::1]:9000", "tcp", "[::1]:9000"},
		{":9000", "tcp", ":9000"},
		{"*:9000", "tcp", ":9000"},
		{"ipv4@127.0.0.1:9000", "tcp4", "127.0.0.1:9000"},
		{"ipv4@:9000", "tcp4", ":9000"},
		{"ipv6@::1:9000", "tcp6", "[::1]:9000"},
		{"unix:/run/a.sock", "unix", "/run/a.sock"},
		{"unix@/run/a.sock", "unix", "/run/a.sock"},
		{"/run/a.sock", "unix", "/run/a.sock"},
		{"unix:@a", "unix", "@" + filled("a")},
		{"abns@a", "unix", "@" + filled("a")},
		{"abnsz@a", "unix", "@a"},
		{"uxst@/run/a.sock", "unix", "/run/a.sock"},
		{"unix@/run/a@b", "unix", "/run/a@b"},
		{"/run/a@b", "unix", "/run/a@b"},
		{"unix@@a", "unix", "@" + filled("a")},
		{"unix:" + strings.Repeat("a", 107), "unix", strings.Repeat("a", 107)},
		{"abnsz@" + strings.Repeat("a", 107), "unix", "@" + strings.Repeat("a", 107)},
		{"fd@3", "fd", "3"},
		{"fd:3", "fd", "3"},
		{"::1:9000", "tcp", "[::1]:9000"},
		{":::9000", "tcp", "[::]:9000"},
		{"[fe80::1%eth0]:9000", "tcp", "[fe80::1%eth0]:9000"},
		{"ipv6@fe80::1%eth0:9000", "tcp6", "[fe80::1%eth0]:9000"},
		{"localhost:65535", "tcp", "localhost:65535"},
		{":http", "tcp", ":http"},
		{"ip@127.0.0.1:9000", "tcp", "127.0.0.1:9000"},
		{"tcp@127.0.0.1:9000", "tcp", "127.0.0.1:9000"},
		{"tcp4@*:9000", "tcp4", ":9000"},
		{"tcp6@::1:9000", "tcp6", "[::1]:9000"},
		{"mptcp@127.0.0.1:9000", "tcp", "127.0.0.1:9000"},
		{"mptcp4@127.0.0.1:9000", "tcp4", "127.0.0.1:9000"},
		{"mptcp6@::1:9000", "tcp6", "[::1]:9000"},
		{"stream+ipv4@127.0.0.1:9000", "tcp4", "127.0.0.1:9000"},
		{"stream+/run/a.sock", "unix", "/run/a.sock"},
	} {
		network, address, err := spoe.ParseAddr(tt.addr)
		assert.NoError(t, err, tt.addr)
		assert.Equal(t, []string{tt.network, tt.address}, []string{network, address}, tt.addr)
	}
	for addr, want := range map[string]string{
		"": "the port is missing", "9000": "the port is missing", "[::1]": "no port", ":": "no port", "*:": "no port",
		"127.0.0.1:65536": "no port", "127.0.0.1:+5": "no port", "127.0.0.1:-1": "no port", "127.0.0.1:9000-9010": "no port",
		"unix@": "no path", "unix:" + strings.Repeat("a", 108): "the path has 108 bytes; the longest has 107",
		"abns@": "no name", "unix@@": "no name", "abnsz@" + strings.Repeat("a", 108): "the name has 108 bytes; the longest has 107",
		"fd@x": "no file descriptor", "fd@": "no file descriptor", "fd:-1": "no file descriptor", "fd@4294967296": "no file descriptor",
		"udp@127.0.0.1:9000": "SPOP has no udp addresses", "quic4@127.0.0.1:9000": "SPOP has no quic4 addresses",
		"uxdg@/run/a.sock": "SPOP has no uxdg addresses", "dgram+unix@/run/a.sock": "SPOP has no dgram+unix addresses",
		"sockpair@3": "SPOP has no sockpair addresses", "rhttp@a": "SPOP has no rhttp addresses",
	} {
		_, _, err := spoe.ParseAddr(addr)
		assert.ErrorContains(t, err, want, addr)
	}
}
