package command_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/command"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// asCommand in the environment makes the test binary run as spoectl.
const asCommand = "SPOECTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(command.Main(command.WithSignals(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// evil is text that a terminal would obey: a title, colours, C1 controls, a
// character that reverses the line, and one that hides.
const evil = "\x1b]0;title\a\x1b[31m\r\u009b2J \u202egnihton\u2066 \U000e0041\ufe0f \xff \x7f"

// requireSafe fails the test if a terminal could obey some of s.
func requireSafe(t *testing.T, s string) {
	t.Helper()
	for i, r := range s {
		bad := r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector)) || r == '\uFFFD' && !strings.HasPrefix(s[i:], "\uFFFD")
		require.False(t, bad, "%U at byte %d of %q", r, i, s)
	}
}

// hostile is an agent that answers each hello as answer says.
func hostile(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", loopback)
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() { // ends with ln
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = c.Read(make([]byte, 64<<10))
				answer(c)
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return ln.Addr().String()
}

func TestHostileAgent(t *testing.T) {
	d := codec.Disconnect{Status: codec.StatusInvalid, Message: evil}
	bye := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAgentDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)})
	refusing := hostile(t, func(c net.Conn) { _, _ = c.Write(bye) })
	ack := codec.AppendSetVar(nil, codec.ScopeTransaction, "v", codec.String(evil))
	ack = codec.AppendSetVar(ack, codec.ScopeTransaction, "b", codec.Binary([]byte(evil)))
	answering := hostile(t, func(c net.Conn) {
		a := codec.AgentHello{Version: "2.0", MaxFrameSize: 16380}
		_, _ = c.Write(codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: a.Append(nil)}))
		_, _ = c.Read(make([]byte, 64<<10))
		_, _ = c.Write(codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: ack}))
	})
	frames := file(t, "frames", string(bye)+string(codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, Payload: ack})))
	for _, args := range []string{
		"ask " + refusing + " m", "ask --json " + refusing + " m", "ask " + answering + " m", "ask --full --json " + answering + " m",
		"bench -d 100ms " + refusing + " m", "conform --cases hello/ --verbose --wait 100ms " + refusing,
		"conform --cases hello/ --json --wait 100ms " + refusing,
		"decode --raw " + frames, "decode --raw --full --json " + frames,
	} {
		r := run(t, strings.Fields(args)...)
		require.NotEmpty(t, r.out+r.err, args)
		requireSafe(t, r.out+r.err)
		if strings.Contains(args, "--json") {
			for dec := json.NewDecoder(strings.NewReader(r.out)); ; {
				var v any
				if err := dec.Decode(&v); err == io.EOF {
					break
				} else {
					require.NoError(t, err, r.out)
				}
			}
		}
	}
	r := run(t, "explain", "SPOE: [a] <EVENT:x"+evil+"> sid=7 st=1 500")
	require.Zero(t, r.status, r.err)
	requireSafe(t, r.out)
	requireSafe(t, run(t, "ask", refusing, "m", "--"+evil).err)

	tp := startTap(t, refusing)
	requireSafe(t, run(t, "ask", tp.addr, evil).err)
	out := tp.stop(t).out
	requireSafe(t, out)
	require.Contains(t, out, "AGENT-DISCONNECT")
}

// JSON has the same text, however it is escaped.
func TestHostileJSON(t *testing.T) {
	text := strings.ReplaceAll(evil, "\xff", "")
	ack := codec.AppendSetVar(nil, codec.ScopeTransaction, "v", codec.String(text))
	frames := file(t, "frames", string(codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, Payload: ack})))
	r := run(t, "decode", "--raw", "--json", frames)
	var got struct {
		Actions []struct{ Value string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &got), r.out)
	require.Len(t, got.Actions, 1)
	assert.Equal(t, text, got.Actions[0].Value)
}

// startTapProcess starts tap as a program of its own.
func startTapProcess(t *testing.T, agent string, stdout *os.File) (cmd *exec.Cmd, addr string, said *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.Command(self, "tap", loopback, agent)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Stdout = stdout
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	said = bufio.NewScanner(stderr)
	require.True(t, said.Scan())
	addr, _, _ = strings.Cut(strings.TrimPrefix(said.Text(), "spoectl tap: listening on "), " ")
	return cmd, addr, said
}

// `tap A B | head -2` ends head, not the site's traffic.
func TestTapOutputClosed(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd, addr, said := startTapProcess(t, serve(t, loopback), w)
	require.NoError(t, w.Close())
	require.Zero(t, run(t, "ask", addr, "ip-rep", "ip=192.0.2.1").status)
	require.NoError(t, r.Close())
	for range 20 {
		got := run(t, "ask", addr, "ip-rep", "ip=192.0.2.1")
		require.Zero(t, got.status, got.err)
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var lines []string
	for said.Scan() {
		lines = append(lines, said.Text())
	}
	require.NoError(t, cmd.Wait())
	text := strings.Join(lines, "\n")
	assert.Contains(t, text, "the output has been closed; traffic goes on until Ctrl-C")
	assert.Contains(t, text, "21 connections, 21 NOTIFYs, 21 ACKs")
	assert.Regexp(t, `[1-9]\d+ frames and events were not shown`, text)
}

// Output that is not read stops nothing, and memory for it is bounded.
func TestTapOutputNotRead(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd, addr, said := startTapProcess(t, serve(t, loopback), w)
	require.NoError(t, w.Close())
	c, err := spoetest.Dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	body := strings.Repeat("x", 12<<10)
	const n = 4000 // 48 MiB: three times what tap keeps
	for range n {
		_, err := c.Ask(t.Context(), "m", spoetest.Arg("body", body))
		require.NoError(t, err)
	}
	require.NoError(t, c.Close())
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)); err == nil { // Linux
		m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
		require.NotNil(t, m)
		peak, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		assert.Less(t, peak, maxPeak, "KiB of memory")
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var lines []string
	for said.Scan() {
		lines = append(lines, said.Text())
	}
	require.NoError(t, cmd.Wait())
	text := strings.Join(lines, "\n")
	assert.Contains(t, text, "4000 NOTIFYs, 4000 ACKs")
	assert.Regexp(t, `\d{4} frames and events were not shown`, text)
}
