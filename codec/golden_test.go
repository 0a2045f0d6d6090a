package codec_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

// goldenFiles are the frames of testdata/golden: bytes that real HAProxys and Spoke
// exchanged, beside their meaning. Package internal/golden tells the format, package
// internal/capture makes them.
func goldenFiles(tb testing.TB) []golden.File {
	tb.Helper()
	files, err := golden.Load("testdata/golden")
	require.NoError(tb, err)
	return files
}

// eachGolden runs fn for each frame of each file.
func eachGolden(t *testing.T, fn func(t *testing.T, frame golden.Captured, parsed codec.Frame)) {
	for _, file := range goldenFiles(t) {
		for _, frame := range file.Frames {
			t.Run(fmt.Sprintf("%s:%d", file.Name, frame.Line), func(t *testing.T) {
				n, ok := codec.FrameLength(frame.Raw)
				require.True(t, ok)
				require.Equal(t, len(frame.Raw)-codec.LengthSize, int(n))
				parsed, err := codec.ParseFrame(frame.Raw[codec.LengthSize:])
				require.NoError(t, err)
				fn(t, frame, parsed)
			})
		}
	}
}

// TestGolden: the meaning of each frame encodes to its bytes. golden.Load checks that the
// bytes decode to the meaning.
func TestGolden(t *testing.T) {
	var d golden.Decoder
	eachGolden(t, func(t *testing.T, frame golden.Captured, parsed codec.Frame) {
		_, payload, err := d.Decode(frame.Raw)
		require.NoError(t, err)
		want := frame.Want
		assert.Equal(t, hex.EncodeToString(frame.Raw), hex.EncodeToString(want.Encode(parsed.Payload)))
		if want.FIN { // of fragments, the last has it all
			assert.Equal(t, hex.EncodeToString(payload), hex.EncodeToString(want.Payload()))
		}
	})
}

// TestGoldenHellos reads hellos and disconnects by their own functions, which
// encode to the same bytes as well.
func TestGoldenHellos(t *testing.T) {
	eachGolden(t, func(t *testing.T, frame golden.Captured, parsed codec.Frame) {
		want := map[string]codec.Value{}
		for _, p := range frame.Want.Pairs {
			want[p.Name] = p.Value
		}
		number := func(key string) uint32 {
			n, ok := want[key].Uint()
			assert.True(t, ok, key)
			return uint32(n)
		}
		var again []byte
		switch frame.Want.Type {
		case codec.FrameHAProxyHello:
			check, _ := want["healthcheck"].Bool()
			h, err := codec.ParseHAProxyHello(parsed.Payload)
			require.NoError(t, err)
			assert.Equal(t, codec.HAProxyHello{
				SupportedVersions: want["supported-versions"].Str(),
				MaxFrameSize:      number("max-frame-size"),
				Capabilities:      want["capabilities"].Str(),
				Healthcheck:       check,
				EngineID:          want["engine-id"].Str(),
			}, h)
			assert.Equal(t, !check, h.Pipelining())
			again = h.Append(nil)
		case codec.FrameAgentHello:
			h, err := codec.ParseAgentHello(parsed.Payload)
			require.NoError(t, err)
			assert.Equal(t, codec.AgentHello{
				Version:      want["version"].Str(),
				MaxFrameSize: number("max-frame-size"),
				Capabilities: want["capabilities"].Str(),
			}, h)
			again = h.Append(nil)
		case codec.FrameHAProxyDisconnect, codec.FrameAgentDisconnect:
			d, err := codec.ParseDisconnect(parsed.Payload)
			require.NoError(t, err)
			assert.Equal(t, codec.Disconnect{Status: codec.Status(number("status-code")), Message: want["message"].Str()}, d)
			again = d.Append(nil)
		default:
			return
		}
		assert.Equal(t, hex.EncodeToString(parsed.Payload), hex.EncodeToString(again))
	})
}

// TestGoldenBind binds messages of real HAProxys to structs.
func TestGoldenBind(t *testing.T) {
	type types struct {
		True        bool       `spoe:"true,required"`
		False       *bool      `spoe:"false,required"`
		Negative    int8       `spoe:"negative"`
		Computed    uint16     `spoe:"computed"`
		Src         net.IP     `spoe:"src"`
		IPv4        netip.Addr `spoe:"ipv4"`
		IPv6        netip.Addr `spoe:"ipv6"`
		Mapped      netip.Addr `spoe:"mapped"`
		String      string     `spoe:"string"`
		Empty       *string    `spoe:"empty"`
		UTF8        string     `spoe:"utf8"`
		Binary      []byte     `spoe:"binary"`
		Method      string     `spoe:"method"`
		Missing     *string    `spoe:"missing"`
		Unset       string     `spoe:"unset,default=nothing"`
		OtherMethod any        `spoe:"other-method"`
	}
	type request struct {
		Port    uint16      `spoe:"src_port,required"`
		Hdrs    http.Header `spoe:"hdrs"`
		HdrsBin http.Header `spoe:"hdrs_bin"`
		Body    string      `spoe:"body"`
		Size    int         `spoe:"body_size"`
	}
	type nameless struct {
		Src    netip.Addr `spoe:",pos=0"`
		Second string     `spoe:",pos=1"`
		Named  bool       `spoe:"named"`
		Fourth int        `spoe:",pos=3"`
	}
	no, empty := false, ""
	want := types{
		True: true, False: &no, Negative: -5, Computed: 42,
		Src: net.IP{127, 0, 0, 1}, IPv4: netip.MustParseAddr("192.0.2.1"),
		IPv6: netip.MustParseAddr("2001:db8::1"), Mapped: netip.MustParseAddr("::ffff:192.0.2.1"),
		String: "words", Empty: &empty, UTF8: "grün €", Binary: []byte{0, 0xff, 0, 1, '\n', '\r'},
		Method: "GET", Unset: "nothing", OtherMethod: "PURGE",
	}
	bound := map[string]int{}
	eachGolden(t, func(t *testing.T, _ golden.Captured, parsed codec.Frame) {
		if parsed.Type != codec.FrameNotify || !parsed.FIN() {
			return
		}
		for msgs := codec.NewMessages(parsed.Payload); msgs.Next(); {
			m := msgs.Message()
			bound[string(m.Name)]++
			switch string(m.Name) {
			case "types":
				var got types
				require.NoError(t, codec.Unmarshal(m.Args, &got))
				assert.Equal(t, want, got)
			case "nameless":
				var got nameless
				require.NoError(t, codec.Unmarshal(m.Args, &got))
				assert.Equal(t, nameless{netip.MustParseAddr("127.0.0.1"), "second", true, -1}, got)
			case "request":
				var got request
				require.NoError(t, codec.Unmarshal(m.Args, &got))
				assert.NotZero(t, got.Port)
				assert.Equal(t, []string{"one", "two"}, got.Hdrs["X-Twice"])
				assert.Equal(t, got.Hdrs, got.HdrsBin)
				assert.Equal(t, "zero \x00 and \xff\r\nlast", got.Body)
				assert.Len(t, got.Body, got.Size)
			}
		}
	})
	for _, name := range []string{"types", "nameless", "request"} {
		assert.GreaterOrEqual(t, bound[name], len(goldenVersions), name)
	}
}

var goldenVersions = []string{"2.6", "3.0", "3.2"}

// TestGoldenIsComplete: no version, no type of a frame or of a value, no scope
// gets lost when somebody captures again.
func TestGoldenIsComplete(t *testing.T) {
	versions, frames, scopes := map[string][]string{}, map[codec.FrameType]bool{}, map[codec.Scope]bool{}
	came, went := map[codec.Type]bool{}, map[codec.Type]bool{}
	headers := map[codec.Type]bool{}
	var unset, fragment, several bool
	for _, file := range goldenFiles(t) {
		version, name, _ := strings.Cut(strings.TrimSuffix(file.Name, ".hex"), "-")
		versions[version] = append(versions[version], name)
		require.NotEmpty(t, file.Comments)
		assert.Contains(t, file.Comments[0], "HAProxy "+version+".")
		assert.Contains(t, strings.Join(file.Comments, "\n"), "\nhaproxy.cfg:\n", "%s says how it was captured", file.Name)
		for _, frame := range file.Frames {
			w := frame.Want
			frames[w.Type] = true
			fragment = fragment || !w.FIN
			several = several || len(w.Messages) > 1
			for _, m := range w.Messages {
				for _, p := range m.Args {
					came[p.Value.Type()] = true
					headers[p.Value.Type()] = headers[p.Value.Type()] || p.Headers != nil
				}
			}
			for _, a := range w.Actions {
				scopes[a.Scope] = true
				went[a.Value.Type()] = true
				unset = unset || a.Unset
			}
		}
	}
	for _, version := range goldenVersions {
		assert.Subset(t, versions[version], []string{"actions", "healthcheck", "lengths", "refused", "request", "values"}, version)
		if version < "3.1" { // mux-spop no longer does this
			assert.Subset(t, versions[version], []string{"fragments", "idle"}, version)
		}
	}
	assert.Len(t, frames, 7, "types of frames")
	assert.Len(t, scopes, 5, "scopes")
	assert.Len(t, went, 10, "types of values that an agent sends")
	for typ := codec.TypeNull; typ <= codec.TypeBinary; typ++ {
		// HAProxy has one type of integer only.
		fromHAProxy := !slices.Contains([]codec.Type{codec.TypeInt32, codec.TypeUint32, codec.TypeUint64}, typ)
		assert.Equal(t, fromHAProxy, came[typ], "%v from HAProxy", typ)
	}
	assert.True(t, headers[codec.TypeString], "req.hdrs")
	assert.True(t, headers[codec.TypeBinary], "req.hdrs_bin")
	assert.True(t, unset, "unset-var")
	assert.True(t, fragment, "fragments")
	assert.True(t, several, "several messages in one NOTIFY")
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
