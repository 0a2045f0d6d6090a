package capture_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
	"github.com/spoke-go/spoke/spoe"
)

var write = flag.Bool("write", false, "write what was captured to codec/testdata/golden")

const (
	waitLimit = 30 * time.Second
	tick      = 10 * time.Millisecond
)

const goldenDir = "../../codec/testdata/golden"

// scenario is one file for each version.
type scenario struct {
	name  string
	about string
	// upTo, if not empty, is the first version that no longer does it.
	upTo string

	bufsize  int    // default: HAProxy's own, 16384
	idle     string // HAProxy's `timeout idle`
	wait     string // HAProxy's `timeout processing`
	check    bool   // `option spop-check`
	rules    []string
	messages []message
	handler  spoe.HandlerFunc // default: sets nothing
	// agent, if not nil, answers a connection instead of Spoke.
	agent func(c net.Conn)

	// run makes HAProxy send, and returns the frames of one connection and their meaning.
	// Stream ids and frame ids are filled in.
	run func(c *capture) (frames [][]byte, want []golden.Frame)
}

// capture is a scenario that runs.
type capture struct {
	*testing.T
	scenario
	bin      haproxytest.Binary
	haproxy  *haproxytest.HAProxy
	rec      *recorder
	requests []string // as they are shown
}

func TestCapture(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, s := range scenarios() {
			if s.upTo != "" && bin.AtLeast(s.upTo) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				f := s.capture(t, bin)
				if *write && !t.Failed() {
					f.Name = strings.Join(strings.SplitN(bin.Version, ".", 3)[:2], ".") + "-" + s.name + ".hex"
					require.NoError(t, os.MkdirAll(goldenDir, 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(goldenDir, f.Name), []byte(f.Text()), 0o644))
				}
			})
		}
	})
}

func (s scenario) capture(t *testing.T, bin haproxytest.Binary) golden.File {
	c := &capture{T: t, scenario: s, bin: bin}
	c.rec = newRecorder(t, s.listen(t))
	c.haproxy = haproxytest.Start(t, bin, haproxytest.Config{
		Config: s.haproxyCfg(bin),
		Files:  map[string]string{"spoe.conf": s.conf()},
		Agent:  c.rec.addr,
	})
	frames, want := s.run(c)
	f := golden.File{Comments: c.comments()}
	require.Len(t, frames, len(want))
	var d golden.Decoder
	var asked golden.Frame
	for i, raw := range frames {
		got, payload, err := d.Decode(raw)
		require.NoError(t, err, "frame %d: %x", i, raw)
		w := want[i]
		switch w.Type {
		case codec.FrameNotify:
			w.StreamID, w.FrameID = got.StreamID, got.FrameID
			asked = w
		case codec.FrameUnset, codec.FrameAck:
			w.StreamID, w.FrameID = asked.StreamID, asked.FrameID
		}
		c.engineID(w.Pairs, got.Pairs)
		require.NoError(t, got.DecodeHeaders(w.String()), "frame %d", i)
		assert.Equal(t, w.String(), got.String(), "frame %d", i)
		if w.FIN {
			assert.Equal(t, hex.EncodeToString(w.Payload()), hex.EncodeToString(payload), "frame %d, encoded", i)
		}
		f.Frames = append(f.Frames, golden.Captured{Raw: raw, Want: w})
	}
	return f
}

// engineID takes over what only HAProxy knows.
func (c *capture) engineID(want, got []golden.Pair) {
	for i := range want {
		if want[i].Name == "engine-id" && i < len(got) {
			assert.Regexp(c, `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`, got[i].Value.Str())
			want[i].Value = codec.String(got[i].Value.Str())
		}
	}
}

func (c *capture) comments() []string {
	talker := "Spoke"
	if c.agent != nil {
		talker = "a scripted agent"
	}
	lines := []string{
		c.bin.String() + " and " + talker + ", written down by a proxy between them:",
		"    go test ./internal/capture -write -run //" + c.name + "$",
	}
	add := func(text string) {
		lines = append(lines, "")
		for line := range strings.Lines(strings.TrimSpace(text)) {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	add(c.about)
	add("Stream ids, frame ids, the engine-id and the client's port are as captured.\nEverything else is what the configuration, the request and the agent's handler\nmean.")
	if len(c.requests) > 0 {
		add("Requests:\n    " + strings.Join(c.requests, "\n    "))
	}
	add("haproxy.cfg:\n" + indent(shown.Replace(c.haproxyCfg(c.bin))))
	if len(c.messages) > 0 {
		add("spoe.conf:\n" + indent(c.conf()))
	}
	return lines
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// listen starts the agent, which ends with the test, and returns its address.
func (s scenario) listen(t *testing.T) string {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if s.agent != nil {
		var wg sync.WaitGroup
		wg.Go(func() { // ended by closing the listener; the recorder closed the connections by then
			for {
				c, err := lis.Accept()
				if err != nil {
					return
				}
				wg.Go(func() { s.agent(c) })
			}
		})
		t.Cleanup(func() {
			lis.Close()
			wg.Wait()
		})
		return lis.Addr().String()
	}
	handler := s.handler
	if handler == nil {
		handler = func(context.Context, *spoe.Message, *spoe.Actions) error { return nil }
	}
	agent := &spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- agent.Serve(lis) }() // ended by Close
	t.Cleanup(func() {
		assert.NoError(t, agent.Close())
		assert.ErrorIs(t, <-done, spoe.ErrAgentClosed)
	})
	return lis.Addr().String()
}

// request sends a request, whose parts are shown one a line, on a connection of
// its own, and returns the response and the client's port.
func (c *capture) request(parts ...string) (*http.Response, int) {
	c.Helper()
	conn, err := net.Dial("tcp", c.haproxy.Addr("http"))
	require.NoError(c, err)
	defer conn.Close()
	require.NoError(c, conn.SetDeadline(time.Now().Add(waitLimit)))
	_, err = conn.Write([]byte(strings.Join(parts, "")))
	require.NoError(c, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(c, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(c, err)
	for _, p := range parts {
		c.requests = append(c.requests, golden.Quote(p))
	}
	return resp, conn.LocalAddr().(*net.TCPAddr).Port
}

// accepted asserts that HAProxy's filter is content with n answers.
func (c *capture) accepted(n int) {
	c.Helper()
	for _, l := range c.haproxy.WaitSPOELogs(n) {
		assert.Zero(c, l.Status, l.Line)
	}
}
