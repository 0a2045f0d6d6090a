package command_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// rawAgent has serve do what it likes with each connection to addr.
func rawAgent(t *testing.T, addr string, serve func(net.Conn)) string {
	t.Helper()
	ln, err := spoe.Listen(addr)
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() { // ends with ln
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { // ends with serve
				defer c.Close()
				if err := c.SetDeadline(time.Now().Add(rawLimit)); err == nil {
					serve(c)
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		running.Wait()
	})
	return ln.Addr().String()
}

// rawLimit bounds what a test of bytes waits for.
const rawLimit = 20 * time.Second

func dialRaw(t *testing.T, network, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout(network, addr, rawLimit)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(rawLimit)))
	return c
}

// randomBytes are n bytes, the same in each run, that are no SPOP.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}

// TestTapPassesBytes sends anything in pieces of all sizes, ends its own
// direction, and gets all of it back, to its end.
func TestTapPassesBytes(t *testing.T) {
	sent := randomBytes(4 << 20)
	echo := func(c net.Conn) { _, _ = io.Copy(c, c) } // the reader sees what is missing
	sockets := t.TempDir()
	for _, tt := range []struct{ network, agent string }{
		{"tcp", rawAgent(t, loopback, echo)},
		{"unix", "unix:" + rawAgent(t, "unix:"+filepath.Join(sockets, "a"), echo)},
	} {
		t.Run(tt.network, func(t *testing.T) {
			tp := startTap(t, tt.agent, "--quiet")
			c := dialRaw(t, "tcp", tp.addr)
			var writing sync.WaitGroup
			writing.Go(func() { // ends with the bytes, or with c
				for rest := sent; len(rest) > 0; {
					n := min(len(rest), 1+rand.IntN(100_000))
					if _, err := c.Write(rest[:n]); !assert.NoError(t, err) {
						return
					}
					rest = rest[n:]
				}
				assert.NoError(t, c.(*net.TCPConn).CloseWrite())
			})
			got, err := io.ReadAll(c)
			writing.Wait()
			require.NoError(t, err)
			assert.True(t, bytes.Equal(sent, got), "%d bytes came back of %d", len(got), len(sent))
		})
	}
}

// TestTapPassesLastBytes makes an agent close with bytes of HAProxy's unread, which
// resets the connection, right after its last frame: HAProxy still gets that.
func TestTapPassesLastBytes(t *testing.T) {
	last := randomBytes(30_000)
	agent := rawAgent(t, loopback, func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
			_, _ = c.Write(last) // the reader sees what is missing
		}
	})
	lastBytes := func(addr string) int {
		c := dialRaw(t, "tcp", addr)
		defer c.Close()
		var writing sync.WaitGroup
		writing.Go(func() { // ends when the agent closes
			for more := make([]byte, 100); ; {
				if _, err := c.Write(more); err != nil {
					return
				}
			}
		})
		got := make([]byte, len(last))
		n, _ := io.ReadFull(c, got)
		c.Close()
		writing.Wait()
		assert.True(t, bytes.Equal(got[:n], last[:n]))
		return n
	}
	tp := startTap(t, agent, "--quiet")
	for range 200 {
		require.Equal(t, len(last), lastBytes(agent), "without tap")
		require.Equal(t, len(last), lastBytes(tp.addr), "with tap")
	}
}

// TestTapPassesResets resets a connection from both sides.
func TestTapPassesResets(t *testing.T) {
	seen := make(chan error, 1)
	agent := rawAgent(t, loopback, func(c net.Conn) {
		b := make([]byte, 1)
		if _, err := io.ReadFull(c, b); err != nil {
			seen <- err
			return
		}
		if b[0] == 'r' {
			assert.NoError(t, c.(*net.TCPConn).SetLinger(0))
			return
		}
		_, _ = c.Write(b) // the reader sees what is missing
		_, err := c.Read(b)
		seen <- err
	})
	tp := startTap(t, agent)

	byAgent := dialRaw(t, "tcp", tp.addr)
	_, err := byAgent.Write([]byte("r"))
	require.NoError(t, err)
	_, err = byAgent.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)

	byHAProxy := dialRaw(t, "tcp", tp.addr)
	_, err = byHAProxy.Write([]byte("e"))
	require.NoError(t, err)
	_, err = io.ReadFull(byHAProxy, make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, byHAProxy.(*net.TCPConn).SetLinger(0))
	require.NoError(t, byHAProxy.Close())
	require.ErrorIs(t, <-seen, syscall.ECONNRESET)

	out := tp.stop(t).out
	assert.Contains(t, out, "#1 . the agent reset the connection")
	assert.Contains(t, out, "#2 . HAProxy reset the connection")
}

// TestTapAborted makes HAProxy abort a NOTIFY of which a fragment was sent: it
// counts as none, which tap would wait for at its end.
func TestTapAborted(t *testing.T) {
	tp := startTap(t, serve(t, loopback), "--quiet")
	c, err := spoetest.Dial(t.Context(), "tcp", tp.addr)
	require.NoError(t, err)
	defer c.Close()
	id := spoetest.ID{Stream: 99, Frame: 1}
	payload := codec.AppendMessage(nil, "ip-rep", 0)
	require.NoError(t, c.WriteFrames(t.Context(),
		spoetest.Fragments(id, payload, 3)[0],
		codec.Frame{Type: codec.FrameUnset, Flags: codec.FlagABORT | codec.FlagFIN, StreamID: id.Stream, FrameID: id.Frame}))
	_, err = c.Ask(t.Context(), "ip-rep") // by then it reached the agent
	require.NoError(t, err)
	assert.Contains(t, tp.stop(t).err, "1 connections, 1 NOTIFYs, 1 ACKs")
}
