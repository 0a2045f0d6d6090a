package golden_test

import (
	"math"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

// frames has everything that a file can say.
func frames() []golden.Frame {
	args := []golden.Pair{
		{Name: "null", Value: codec.Null()},
		{Name: "true", Value: codec.Bool(true)},
		{Name: "i32", Value: codec.Int32(math.MinInt32)},
		{Name: "u32", Value: codec.Uint32(math.MaxUint32)},
		{Name: "i64", Value: codec.Int64(math.MinInt64)},
		{Name: "u64", Value: codec.Uint64(math.MaxUint64)},
		{Name: "", Value: codec.Addr(netip.MustParseAddr("192.0.2.1"))},
		{Name: "", Value: codec.Addr(netip.MustParseAddr("::ffff:192.0.2.1"))},
		{Name: `"quoted" #> name`, Value: codec.String("")},
		{Name: "long", Value: codec.String(strings.Repeat("0123456789", 230))},
		{Name: "longer", Value: codec.String("a" + strings.Repeat("0123456789", 230))},
		{Name: "bin", Value: codec.Binary([]byte{0, 0xff, '\n', '"'})},
		{Name: "headers", Value: codec.String("a: 1\r\na: \"#> 2\r\nb: \r\n\r\n"), Headers: http.Header{"A": {"1", "\"#> 2"}, "B": {""}}},
	}
	fragment := golden.Frame{Type: codec.FrameNotify, StreamID: 7, FrameID: 2}
	last := golden.Frame{Type: codec.FrameUnset, FIN: true, StreamID: 7, FrameID: 2, Messages: []golden.Message{{Name: "last", Args: args[:2]}}}
	return []golden.Frame{
		{Type: codec.FrameHAProxyHello, FIN: true, Pairs: args[:3]},
		{Type: codec.FrameNotify, FIN: true, StreamID: math.MaxUint64, FrameID: 1, Messages: []golden.Message{{Name: "all", Args: args}, {Name: ""}}},
		{Type: codec.FrameAck, FIN: true, Actions: []codec.Action{
			{Scope: codec.ScopeSession, Name: "x", Value: codec.Int64(-1)},
			{Scope: codec.ScopeProcess, Name: "y", Unset: true},
		}},
		fragment, last,
	}
}

func TestTextRoundTrip(t *testing.T) {
	f := golden.File{Comments: []string{"how", "", "  indented"}}
	for _, want := range frames() {
		f.Frames = append(f.Frames, golden.Captured{Raw: want.Encode(want.Payload()), Want: want})
	}
	text := f.Text()
	again, err := golden.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, f.Comments, again.Comments)
	require.Len(t, again.Frames, len(f.Frames))
	lines := strings.Split(text, "\n")
	for i, frame := range again.Frames {
		assert.Equal(t, f.Frames[i].Raw, frame.Raw)
		assert.Equal(t, f.Frames[i].Want.String(), frame.Want.String())
		assert.Equal(t, f.Frames[i].Want.Payload(), frame.Want.Payload())
		assert.Regexp(t, "^[0-9a-f]+$", lines[frame.Line-1])
	}
	assert.Equal(t, text, again.Text())
	assert.Contains(t, text, `"long" STRING "0123456789"*230`)
}

func TestDecode(t *testing.T) {
	var d golden.Decoder
	all := frames()
	payload := all[4].Payload()
	for i, want := range all {
		raw, part := want.Encode(want.Payload()), want.Payload()
		switch i {
		case 3:
			part = payload[:4]
			raw = want.Encode(part)
		case 4:
			raw = want.Encode(payload[4:])
		}
		got, gotPayload, err := d.Decode(raw)
		require.NoError(t, err)
		require.NoError(t, got.DecodeHeaders(want.String()))
		assert.Equal(t, want.String(), got.String())
		assert.Equal(t, part, gotPayload)
	}
	_, _, err := d.Decode(all[4].Encode(payload))
	assert.ErrorContains(t, err, "of which no NOTIFY is incomplete")
	_, _, err = d.Decode(all[0].Encode(payload))
	assert.ErrorContains(t, err, "no pair")
	_, _, err = d.Decode(append(all[0].Encode(nil), 0))
	assert.ErrorContains(t, err, "length")
}

func TestParseErrors(t *testing.T) {
	const disconnect = "0000000702000000010000" // HAPROXY-DISCONNECT
	for text, want := range map[string]string{
		"":                        "no frame",
		"# nothing\n":             "1: no frame",
		"00\n":                    "1: a length of 0",
		"#> NOTIFY\n":             "the last frame is missing",
		"#> NOTIFY\n0\n":          "2: encoding/hex: odd length",
		disconnect + "\n":         "1: the bytes mean:\nHAPROXY-DISCONNECT fin stream-id=0 frame-id=0\nand",
		"#> x\n" + disconnect:     "2: the bytes mean:",
		"\n#> ACK\n" + disconnect: "say:\nACK\n",
	} {
		_, err := golden.Parse(text)
		assert.ErrorContains(t, err, want, "%q", text)
	}
	_, err := golden.Load(t.TempDir())
	assert.ErrorContains(t, err, "no golden frames")
}
