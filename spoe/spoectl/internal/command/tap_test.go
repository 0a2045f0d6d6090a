package command_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoectl/internal/command"
	"github.com/spoke-go/spoke/spoe/spoectl/internal/status"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// tap is a spoectl tap that runs.
type tap struct {
	addr   string
	cancel context.CancelFunc
	ended  chan struct{} // closed when last is set
	last   result
}

// wait returns what it did, once it has ended.
func (tp *tap) wait(t *testing.T) result {
	t.Helper()
	select {
	case <-tp.ended:
	case <-time.After(10 * time.Second):
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

	other := serve(t, loopback, func(a *spoe.Agent) { a.Handler = spoetest.ContractHandler() }) // without ip-rep
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

// What is in flight when tap is to end is answered.
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

const spoeConf = `
[check]
spoe-agent check
    log global
    messages ip-rep req
    option var-prefix check
    option set-on-error error
    timeout hello 5s
    timeout idle 1m
    timeout processing 5s
    use-backend agents

spoe-message ip-rep
    args ip=src
    event on-client-session

spoe-message req
    args path=path n=int(-3) body=req.hdrs_bin
    event on-frontend-http-request
`

// TestTapHAProxy stands between a real HAProxy and an agent: requests are
// answered as without it, and what it records replays to the same ACKs.
func TestTapHAProxy(t *testing.T) {
	spoetest.ForEachHAProxy(t, func(t *testing.T, bin spoetest.HAProxyBinary) {
		agent := serve(t, loopback, func(a *spoe.Agent) {
			ip := a.Handler
			a.Handler = spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				if msg.Name != "req" {
					return ip.ServeSPOE(ctx, msg, acts)
				}
				v, _ := msg.Args.Lookup("path")
				return acts.SetString(spoe.VarScopeTransaction, "path", "seen "+v.Str())
			})
		})
		rec := filepath.Join(t.TempDir(), "rec")
		tp := startTap(t, agent, "--record", rec)
		answers := func(agent string) (all []string) {
			h := spoetest.StartHAProxy(t, bin, spoetest.HAProxyConfig{
				Agent: agent,
				Files: map[string]string{"spoe.conf": spoeConf},
				Rules: `
    http-request return status 200 hdr X-Score %[var(sess.check.ip_score)] hdr X-Path %[var(txn.check.path)] hdr X-Error %[var(txn.check.error)]`,
			})
			defer h.Close()
			for i := range 20 {
				r := h.Get("/" + strconv.Itoa(i))
				all = append(all, strings.Join([]string{r.Header.Get("X-Score"), r.Header.Get("X-Path"), r.Header.Get("X-Error")}, "|"))
			}
			for _, l := range h.WaitSPOELogs(20) {
				line, ok := status.Parse(l.Line)
				assert.True(t, ok, l.Line)
				assert.Zero(t, line.Status)
				assert.Contains(t, []int{1, 5}, len(line.Timers), l.Line)
			}
			return all
		}
		direct := answers(agent)
		assert.Equal(t, "1|seen /0|", direct[0])
		assert.Equal(t, direct, answers(tp.addr))

		got := tp.stop(t)
		assert.Contains(t, got.out, "NOTIFY")
		assert.NotContains(t, got.out, "malformed")
		r := run(t, "replay", rec, agent)
		assert.Zero(t, r.status, r.out)
		assert.Regexp(t, `^40 NOTIFYs: 40 answered the same, 0 different or not, 0 not compared\n$`, r.out)
		r = run(t, "bench", agent, "--recording", rec, "--check", "--count", "500", "-c", "2")
		assert.Zero(t, r.status, r.err)
		b, err := os.ReadFile(rec)
		require.NoError(t, err)
		assert.Greater(t, strings.Count(string(b), "\n"), 40)
	})
}
