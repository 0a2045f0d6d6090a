package command_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/command"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// tap is a spoectl tap that runs.
type tap struct {
	addr   string
	cancel context.CancelFunc
	ended  chan struct{} // closed when last is set
	last   result
}

// wait waits for its end and returns the result.
func (tp *tap) wait(t *testing.T) result {
	t.Helper()
	select {
	case <-tp.ended:
	case <-time.After(time.Minute):
		t.Fatal("tap does not end")
	}
	return tp.last
}

// stop ends it as Ctrl-C does.
func (tp *tap) stop(t *testing.T) result {
	t.Helper()
	tp.cancel()
	return tp.wait(t)
}

func startTap(t *testing.T, agent string, args ...string) *tap {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	errRead, errWrite := io.Pipe()
	tp := &tap{cancel: cancel, ended: make(chan struct{})}
	var out, said bytes.Buffer
	lines := make(chan string)
	var reading sync.WaitGroup
	reading.Go(func() { // ends with errWrite
		s := bufio.NewScanner(errRead)
		for first := true; s.Scan(); first = false {
			said.WriteString(s.Text() + "\n")
			if first {
				lines <- s.Text()
			}
		}
	})
	go func() { // ends with ctx
		st := command.Main(ctx, append([]string{"tap", loopback, agent}, args...), nil, &out, errWrite)
		errWrite.Close()
		reading.Wait()
		tp.last = result{st, out.String(), said.String()}
		close(tp.ended)
	}()
	t.Cleanup(func() { tp.stop(t) })
	line := <-lines
	addr, ok := strings.CutPrefix(line, "spoectl tap: listening on ")
	require.True(t, ok, line)
	tp.addr, _, _ = strings.Cut(addr, " ")
	return tp
}

func TestTap(t *testing.T) {
	agent := serve(t, loopback)
	rec := filepath.Join(t.TempDir(), "rec")
	tp := startTap(t, agent, "--record", rec)
	r := run(t, "ask", tp.addr, "ip-rep", "ip=192.0.2.42")
	require.Zero(t, r.status, r.err)
	assert.Contains(t, r.out, "sess.ip_score = INT64 42")
	r = run(t, "ask", tp.addr, "echo", "text=a", "n=1")
	require.Zero(t, r.status, r.err)
	got := tp.stop(t)
	assert.Zero(t, got.status, got.err)
	golden(t, "tap", got.out)
	assert.Contains(t, got.err, "2 connections, 2 NOTIFYs, 2 ACKs")

	r = run(t, "decode", rec)
	require.Zero(t, r.status, r.err)
	golden(t, "tap-recording", r.out)

	r = run(t, "replay", rec, agent)
	assert.Zero(t, r.status, r.out+r.err)
	assert.Equal(t, "2 NOTIFYs: 2 answered the same, 0 different or not, 0 not compared\n", r.out)

	other := serve(t, loopback, func(a *spoe.Agent) { a.Handler = conformance.ContractHandler() }) // without ip-rep
	r = run(t, "replay", rec, other)
	assert.Equal(t, 1, r.status)
	golden(t, "replay-different", r.out)
	r = run(t, "replay", rec, other, "--json", "--pace")
	assert.Equal(t, 1, r.status)
	assert.Empty(t, r.err)
	golden(t, "replay-different-json", r.out)
}

func TestTapJSON(t *testing.T) {
	tp := startTap(t, serve(t, loopback), "--json")
	require.Zero(t, run(t, "ask", tp.addr, "ip-rep", "ip=192.0.2.42").status)
	got := tp.stop(t)
	golden(t, "tap-json", got.out)
	for line := range strings.Lines(got.out) {
		assert.True(t, json.Valid([]byte(line)), line)
	}
}

func TestTapTLS(t *testing.T) {
	agent, cert, key := serveTLS(t)
	tp := startTap(t, agent, "--ca", cert, "--cert", cert, "--key", key, "--quiet")
	r := run(t, "ask", tp.addr, "ip-rep", "ip=192.0.2.42")
	assert.Zero(t, r.status, r.err)
	got := tp.stop(t)
	assert.Empty(t, got.out)
	assert.Contains(t, got.err, "1 NOTIFYs")
}

func TestTapWithoutAgent(t *testing.T) {
	tp := startTap(t, "127.0.0.1:1")
	r := run(t, "ask", tp.addr, "m")
	assert.Equal(t, 1, r.status)
	assert.Contains(t, tp.stop(t).out, "the agent cannot be reached: ")
}

func TestTapGarbage(t *testing.T) {
	tp := startTap(t, serve(t, loopback))
	c, err := new(spoetest.Dialer).Connect(t.Context(), "tcp", tp.addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Write(t.Context(), []byte("GET / HTTP/1.1\r\n\r\n")))
	frames, err := c.Drain(t.Context())
	require.NoError(t, err)
	require.Len(t, frames, 1, "the agent's DISCONNECT comes through")
	out := tp.stop(t).out
	assert.Contains(t, out, `. no SPOP: "GET / HTTP/1.1`)
	assert.Contains(t, out, "AGENT-DISCONNECT")
}

// When tap ends, it waits for the ACKs of NOTIFYs in flight.
func TestTapEndsGracefully(t *testing.T) {
	tp := startTap(t, serve(t, loopback), "--for", "300ms")
	quiet, err := spoetest.Dial(t.Context(), "tcp", tp.addr)
	require.NoError(t, err)
	defer quiet.Close()
	r := run(t, "ask", tp.addr, "sleep", "ms=600")
	require.Zero(t, r.status, r.err)
	assert.Contains(t, r.out, "txn.slept = INT64 600")
	got := tp.wait(t)
	assert.Zero(t, got.status)
	_, err = quiet.Next(t.Context())
	assert.Error(t, err)
	assert.NotEqual(t, 0, run(t, "ask", tp.addr, "m").status)
}

// TestTapConforms holds an agent to the contract through tap: it changes nothing.
func TestTapConforms(t *testing.T) {
	tp := startTap(t, serve(t, loopback), "--quiet")
	r := run(t, "conform", tp.addr, "--contract", "echo,set,big,bind,null", "--cases",
		"hello/,healthcheck/,garbage/,notify/,malformed/,short/,fragments/,disconnect/,end/,type/,value/,name/,bind/")
	assert.Zero(t, r.status, r.out+r.err)
}
