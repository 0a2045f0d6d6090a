package command_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// frames are a handshake, a NOTIFY and its ACK.
func frames(t *testing.T) [][]byte {
	t.Helper()
	h := spoetest.DefaultHello()
	payload, err := spoetest.Payload(spoetest.Msg("ip-rep", spoetest.Arg("ip", 7)))
	require.NoError(t, err)
	a := codec.AgentHello{Version: "2.0", MaxFrameSize: 16380, Capabilities: "pipelining"}
	var all [][]byte
	for _, f := range []codec.Frame{
		spoetest.HelloFrame(h.Append(nil)),
		{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: a.Append(nil)},
		spoetest.NotifyFrame(spoetest.ID{Stream: 1, Frame: 1}, payload),
		{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: codec.AppendSetVar(nil, codec.ScopeSession, "score", codec.Int64(7))},
	} {
		all = append(all, codec.AppendFrame(nil, f))
	}
	return all
}

// capture is a pcap file of raw IP packets.
func capture(t *testing.T, frames [][]byte) string {
	t.Helper()
	b, err := hex.DecodeString("d4c3b2a1020004000000000000000000ffff000065000000")
	require.NoError(t, err)
	seq := [2]uint32{100, 900}
	packet := func(side int, flags byte, data []byte) {
		ports := [2]string{"1000", "9000"}
		p, err := hex.DecodeString(fmt.Sprintf("4500%04x00000000ff0600007f0000017f000001%04x%04x%08x0000000050%02x000000000000",
			40+len(data), []int{1000, 9000}[side], []int{9000, 1000}[side], seq[side], flags))
		require.NoError(t, err, ports)
		p = append(p, data...)
		seq[side] += uint32(len(data))
		if flags&2 != 0 {
			seq[side]++
		}
		head, _ := hex.DecodeString("00000000" + "00000000")
		b = append(b, head...)
		for range 2 {
			b = append(b, byte(len(p)), byte(len(p)>>8), 0, 0)
		}
		b = append(b, p...)
	}
	packet(0, 2, nil)
	packet(1, 0x12, nil)
	for i, f := range frames {
		packet(i%2, 0x10, f[:10])
		packet(i%2, 0x18, f[10:])
	}
	packet(0, 1, nil)
	packet(0, 2, nil) // the same ports again, for something else
	packet(0, 0x18, []byte("GET / HTTP/1.1\r\n\r\n"))
	return file(t, "capture", string(b))
}

func TestDecode(t *testing.T) {
	all := frames(t)
	raw := bytes.Join(all, nil)
	digits := hex.EncodeToString(raw)
	xxd := hex.Dump(raw) // another form than xxd's, made into it:
	var lines []string
	for l := range strings.Lines(xxd) {
		f := strings.Fields(l)
		if len(f) < 2 {
			continue
		}
		text := l[strings.Index(l, "|"):]
		lines = append(lines, f[0]+": "+strings.Join(f[1:len(f)-len(strings.Fields(text))], "")+"  "+text)
	}
	for i := range lines { // groups of four digits
		head, rest, _ := strings.Cut(lines[i], ": ")
		d, text, _ := strings.Cut(rest, "  ")
		var groups []string
		for len(d) > 4 {
			groups, d = append(groups, d[:4]), d[4:]
		}
		lines[i] = head + ": " + strings.Join(append(groups, d), " ") + "  " + strings.TrimSpace(text)
	}
	for name, args := range map[string][]string{
		"arguments": {digits[:20], digits[20:]},
		"hex":       {file(t, "x", "# comment\n"+digits[:30]+"\n\n"+digits[30:]+"\n")},
		"xxd":       {file(t, "x", strings.Join(lines, "\n")+"\n")},
		"raw":       {file(t, "x", string(raw))},
		"raw flag":  {"--raw", file(t, "x", string(raw))},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, append([]string{"decode"}, args...)...)
			require.Zero(t, r.status, r.err)
			golden(t, "decode", r.out)
		})
	}
	t.Run("standard input", func(t *testing.T) {
		r := runWith(t.Context(), bytes.NewReader(raw), "decode", "-")
		require.Zero(t, r.status, r.err)
		golden(t, "decode", r.out)
	})
	t.Run("json", func(t *testing.T) {
		r := run(t, "decode", "--json", digits)
		require.Zero(t, r.status, r.err)
		golden(t, "decode-json", r.out)
	})
	t.Run("pcap", func(t *testing.T) {
		r := run(t, "decode", capture(t, all))
		require.Zero(t, r.status, r.err)
		golden(t, "decode-pcap", r.out)
		r = run(t, "decode", capture(t, all), "--port", "9000")
		require.Zero(t, r.status, r.err)
		golden(t, "decode-pcap", r.out)
		r = run(t, "decode", capture(t, all), "--port", "80")
		assert.Equal(t, 2, r.status)
		assert.Contains(t, r.err, "no frame of SPOP")
	})
}

// Frames that codec's tests captured from real HAProxys.
func TestDecodeGoldenFrames(t *testing.T) {
	files, err := filepath.Glob("../../../../codec/testdata/*.hex")
	require.NoError(t, err)
	more, err := filepath.Glob("../../../../codec/testdata/*/*.hex")
	require.NoError(t, err)
	files = append(files, more...)
	require.NotEmpty(t, files)
	for _, f := range files {
		r := run(t, "decode", f)
		assert.Zero(t, r.status, "%s: %s", f, r.err)
		assert.Contains(t, r.out, "HAPROXY-HELLO")
	}
}
