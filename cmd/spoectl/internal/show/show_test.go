package show_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/show"
	"github.com/spoke-go/spoke/codec"
)

func frame(t codec.FrameType, flags codec.Flags, payload []byte) []byte {
	return codec.AppendFrame(nil, codec.Frame{Type: t, Flags: flags, StreamID: 3, FrameID: 1, Payload: payload})[codec.LengthSize:]
}

func TestText(t *testing.T) {
	notify := codec.AppendMessage(nil, "check request", 4)
	notify = codec.AppendArg(notify, "", codec.Int64(-1))
	notify = codec.AppendArg(notify, "body", codec.Binary([]byte("\x00\x1b[31m")))
	notify = codec.AppendArg(notify, "path", codec.String("/äöü/a/long/path"))
	notify = codec.AppendArg(notify, "none", codec.Null())
	notify = codec.AppendMessage(notify, "other", 0)
	ack := codec.AppendSetVar(nil, codec.ScopeSession, "score", codec.Uint32(7))
	ack = codec.AppendUnsetVar(ack, codec.ScopeProcess, "x")
	bye := codec.Disconnect{Status: codec.StatusTooBig, Message: "too \"big\""}

	var d show.Decoder
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"NOTIFY", frame(codec.FrameNotify, codec.FlagFIN, notify), `NOTIFY  stream 3 frame 1  FIN  86 bytes
    "check request"
        INT64 -1
        body = BINARY "\x00\x1b[31m"
        path = STRING "/äöü/a/l"… (19 bytes)
        none = NULL
    other
`},
		{"ACK", frame(codec.FrameAck, codec.FlagFIN, ack), `ACK  stream 3 frame 1  FIN  23 bytes
    sess.score = UINT32 7
    unset proc.x
`},
		{"malformed ACK", frame(codec.FrameAck, codec.FlagFIN, append(ack, 9, 9, 0, 0)), `ACK  stream 3 frame 1  FIN  27 bytes
    sess.score = UINT32 7
    unset proc.x
    ! malformed: action of type 9 with 9 arguments at byte 16 (status 4: invalid frame received)
`},
		{"DISCONNECT", frame(codec.FrameAgentDisconnect, codec.FlagFIN, bye.Append(nil)), `AGENT-DISCONNECT  stream 3 frame 1  FIN  40 bytes  (status 3: frame is too big)
    status-code = UINT32 3
    message = STRING "too \"big\""
`},
		{"short", []byte{1, 2}, "malformed frame  2 bytes\n    ! malformed: frame of 2 bytes, the shortest has 7 at byte 0 (status 4: invalid frame received)\n"},
		{"unknown", frame(77, 4|codec.FlagABORT, []byte("abc")), "frame type 77  stream 3 frame 1  ABORT+0x4  10 bytes  (3 bytes of payload; both sides skip what they do not know)\n"},
		{"fragment of nothing", frame(codec.FrameUnset, 0, notify), "UNSET  stream 3 frame 1  86 bytes  (a fragment whose NOTIFY was not seen)\n"},
		{"first fragment", frame(codec.FrameNotify, 0, notify[:10]), "NOTIFY  stream 3 frame 1  17 bytes  (fragment of 10 bytes, 10 so far)\n"},
		{"last fragment", frame(codec.FrameUnset, codec.FlagFIN, codec.AppendMessage(nil, "other", 0)), "UNSET  stream 3 frame 1  FIN  14 bytes  (last fragment, 17 bytes of payload in all)\n    ! malformed: "},
		{"fragment again", frame(codec.FrameNotify, 0, notify[:10]), "NOTIFY  stream 3 frame 1  17 bytes  (fragment of 10 bytes, 10 so far)\n"},
		{"abort", frame(codec.FrameUnset, codec.FlagABORT|codec.FlagFIN, nil), "UNSET  stream 3 frame 1  FIN+ABORT  7 bytes  (HAProxy gave up after 10 bytes of payload)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := d.Decode(tt.b).Text(11)
			if tt.name == "last fragment" {
				assert.Contains(t, got, tt.want)
				return
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestJSON(t *testing.T) {
	ack := codec.AppendSetVar(nil, codec.ScopeSession, "score", codec.Int64(1<<62))
	ack = codec.AppendSetVar(ack, codec.ScopeSession, "raw", codec.Binary([]byte{0xff}))
	ack = codec.AppendSetVar(ack, codec.ScopeSession, "no", codec.Bool(false))
	ack = codec.AppendUnsetVar(ack, codec.ScopeProcess, "x")
	b, err := json.Marshal(new(show.Decoder).Decode(frame(codec.FrameAck, codec.FlagFIN, ack)))
	require.NoError(t, err)
	require.JSONEq(t, `{"frame":"ACK","flags":"FIN","stream_id":3,"frame_id":1,"length":49,"actions":[
		{"name":"sess.score","type":"INT64","value":4611686018427387904},
		{"name":"sess.raw","type":"BINARY","bytes":"/w=="},
		{"name":"sess.no","type":"BOOL","value":false},
		{"name":"proc.x","type":"NULL","unset":true}]}`, string(b))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 1, 0, 1, 1, 'a', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var d show.Decoder
		for range 2 {
			if d.Decode(b).Text(8) == "" {
				t.Fatal("nothing")
			}
		}
	})
}
