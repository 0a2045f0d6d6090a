package codec_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// goldenFrames returns the frames of testdata/golden, by file and line, with
// the length in front. The files have # comments and one frame a line, in hex.
func goldenFrames(tb testing.TB) map[string][]byte {
	tb.Helper()
	frames := map[string][]byte{}
	files, err := filepath.Glob("testdata/golden/*.hex")
	require.NoError(tb, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(tb, err)
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, len(text)+1)
		for n := 1; lines.Scan(); n++ {
			line, _, _ := strings.Cut(lines.Text(), "#")
			line = strings.Join(strings.Fields(line), "")
			if line == "" {
				continue
			}
			b, err := hex.DecodeString(line)
			require.NoError(tb, err, "%s:%d", file, n)
			frames[fmt.Sprintf("%s:%d", filepath.Base(file), n)] = b
		}
	}
	return frames
}

// TestGoldenRoundTrip: what a real HAProxy sent is read whole and, encoded
// again, is the same bytes.
func TestGoldenRoundTrip(t *testing.T) {
	frames := goldenFrames(t)
	if len(frames) == 0 {
		t.Skip("no golden frames in testdata/golden")
	}
	for name, raw := range frames {
		t.Run(name, func(t *testing.T) {
			n, ok := codec.FrameLength(raw)
			require.True(t, ok)
			require.Equal(t, len(raw)-codec.LengthSize, int(n))
			f, err := codec.ParseFrame(raw[codec.LengthSize:])
			require.NoError(t, err)
			assert.Equal(t, raw, codec.AppendFrame(nil, f))
			switch f.Type {
			case codec.FrameHAProxyHello:
				h, err := codec.ParseHAProxyHello(f.Payload)
				require.NoError(t, err)
				assert.Equal(t, f.Payload, h.Append(nil))
			case codec.FrameHAProxyDisconnect:
				d, err := codec.ParseDisconnect(f.Payload)
				require.NoError(t, err)
				again, err := codec.ParseDisconnect(d.Append(nil))
				require.NoError(t, err)
				assert.Equal(t, d, again)
			case codec.FrameNotify:
				if !f.FIN() { // a fragment
					return
				}
				out, err := reencode(f.Payload)
				require.NoError(t, err)
				assert.Equal(t, f.Payload, out)
			}
		})
	}
}

// reencode decodes a NOTIFY's payload and encodes what it held.
func reencode(payload []byte) (out []byte, err error) {
	msgs := codec.NewMessages(payload)
	for msgs.Next() {
		m := msgs.Message()
		out = codec.AppendMessage(out, string(m.Name), m.Args.Len())
		for name, v := range m.Args.All() {
			out = codec.AppendArg(out, name, v)
		}
	}
	return out, msgs.Err()
}
