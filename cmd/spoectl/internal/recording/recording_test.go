package recording_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func echoPayload(n int64) []byte {
	return codec.AppendArg(codec.AppendMessage(nil, "echo", 1), "n", codec.Int64(n))
}

// sample is a connection with a fragmented NOTIFY, one that was aborted and one
// without an ACK.
func sample(ack []byte) []recording.Record {
	hello := spoetest.DefaultHello()
	payload := echoPayload(7)
	id := func(n uint64) spoetest.ID { return spoetest.ID{Stream: n, Frame: 1} }
	fragments := spoetest.Fragments(id(3), payload, 5)
	frames := []codec.Frame{spoetest.HelloFrame(hello.Append(nil))}
	frames = append(frames, fragments...)
	frames = append(frames,
		spoetest.Fragments(id(5), payload, 5)[0],
		codec.Frame{Type: codec.FrameUnset, Flags: codec.FlagABORT | codec.FlagFIN, StreamID: 5, FrameID: 1},
		spoetest.NotifyFrame(id(7), echoPayload(9)),
		codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: 3, FrameID: 1, Payload: ack},
	)
	var all []recording.Record
	for i, f := range frames {
		all = append(all, recording.Record{
			At: time.Duration(i) * time.Millisecond, Conn: 1, ByAgent: f.Type == codec.FrameAck, Frame: codec.AppendFrame(nil, f),
		})
	}
	return all
}

func write(t *testing.T, records []recording.Record) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := recording.NewWriter(&b, "a\ntest")
	for _, r := range records {
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Flush())
	return &b
}

func TestRoundTrip(t *testing.T) {
	records := sample(nil)
	b := write(t, records)
	assert.True(t, strings.HasPrefix(b.String(), "# spoectl recording 1\n# a test\n0.000000 1 > 0000"))
	assert.True(t, recording.Is(b.Bytes()))
	got, err := recording.Read(b)
	require.NoError(t, err)
	require.Equal(t, records, got.Records)

	exchanges, err := got.Exchanges()
	require.NoError(t, err)
	require.Len(t, exchanges, 2)
	assert.Equal(t, echoPayload(7), exchanges[0].Notify)
	assert.True(t, exchanges[0].Acked)
	assert.Positive(t, exchanges[0].Took)
	assert.False(t, exchanges[1].Acked)
	assert.NotEmpty(t, got.Hello(1))
	assert.Nil(t, got.Hello(2))
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "line 1: no recording"},
		{"another file", "hello\n", "line 1: no recording"},
		{"fields", "\n\n0 1 >", "line 4: 3 fields"},
		{"time", "x 1 > 00", `line 2: "x" is no time`},
		{"NaN", "NaN 1 > 00", `line 2: "NaN" is no time`},
		{"connection", "0 0 > 00", `line 2: "0" is no connection`},
		{"direction", "0 1 - 00", `line 2: "-" is neither`},
		{"hex", "0 1 > 0g", "line 2: the frame: "},
		{"length", "0 1 > 0000000200", "line 2: the frame has 5 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.text
			if strings.Contains(tt.want, "line 2") || strings.Contains(tt.want, "line 4") {
				text = recording.Magic + "\n" + text
			}
			_, err := recording.Read(strings.NewReader(text))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestReplay(t *testing.T) {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{Handler: conformance.ContractHandler()}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }() // ends with Close
	defer func() {
		a.Close()
		<-ended
	}()
	for _, tt := range []struct {
		name string
		ack  []byte
		want string

		ignore []string
	}{
		{"same", codec.AppendSetVar(nil, codec.ScopeTransaction, "n", codec.Int64(7)), "", nil},
		{"another integer type", codec.AppendSetVar(nil, codec.ScopeTransaction, "n", codec.Uint32(7)), "", nil},
		{"another value", codec.AppendSetVar(nil, codec.ScopeTransaction, "n", codec.Int64(8)), "expected", nil},
		{"no action", nil, "expected", nil},
		{"another value, ignored", codec.AppendSetVar(nil, codec.ScopeTransaction, "n", codec.Int64(8)), "", []string{"txn.n"}},
		{"another scope is ignored", nil, "expected", []string{"sess.n", "n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recording.Recording{Records: sample(tt.ack)}
			var got []recording.Outcome
			err := recording.Replay(t.Context(), &spoetest.Dialer{}, "tcp", ln.Addr().String(), rec, true, tt.ignore, func(o recording.Outcome) { got = append(got, o) })
			require.NoError(t, err)
			require.Len(t, got, 2)
			if tt.want == "" {
				require.NoError(t, got[0].Err)
			} else {
				require.ErrorContains(t, got[0].Err, tt.want)
			}
			require.NoError(t, got[1].Err)
			require.NotEmpty(t, got[1].Skip)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = recording.Replay(ctx, &spoetest.Dialer{}, "tcp", ln.Addr().String(), &recording.Recording{Records: sample(nil)}, true, nil, func(recording.Outcome) {})
	require.ErrorIs(t, err, context.Canceled)
}
