package show

import (
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
)

// Side is the sender of a frame.
type Side int

// The two sides.
const (
	HAProxy Side = iota
	Agent
)

// String returns the side's name.
func (s Side) String() string { return [...]string{"haproxy", "agent"}[s] }

// Frame is a decoded frame.
type Frame struct {
	Type     string `json:"frame"`
	Flags    string `json:"flags,omitempty"` // such as "FIN"
	StreamID uint64 `json:"stream_id"`
	FrameID  uint64 `json:"frame_id"`
	Length   int    `json:"length"` // without the length itself

	Fields   []Field   `json:"fields,omitempty"` // of a hello or a DISCONNECT
	Messages []Message `json:"messages,omitempty"`
	Actions  []Action  `json:"actions,omitempty"`

	Note string `json:"note,omitempty"` // facts that the frame alone does not show
	// Malformed names the mistake in it; the parts before the mistake are there.
	Malformed string `json:"malformed,omitempty"`
}

// Message is one message of a NOTIFY.
type Message struct {
	Name string  `json:"name"`
	Args []Field `json:"args"`
}

// Field is an argument, or a key of a hello or a DISCONNECT.
type Field struct {
	Name string `json:"name"`
	JSONValue
	value codec.Value
}

// Action is one action of an ACK.
type Action struct {
	Name string `json:"name"` // with its scope, without HAProxy's prefix
	JSONValue
	Unset bool `json:"unset,omitempty"`
	value codec.Value
}

// Decoder decodes the frames of one connection and puts fragments together.
type Decoder struct {
	partial map[[2]uint64][]byte // by stream-id and frame-id
	pending int                  // bytes in partial
}

// maxPending bounds the unfinished payloads that a Decoder keeps, in bytes.
const maxPending = 64 << 20

// Decode decodes a frame without its length. The result borrows nothing from it.
func (d *Decoder) Decode(b []byte) Frame {
	f, err := codec.ParseFrame(b)
	if err != nil {
		return Frame{Type: "malformed frame", Length: len(b), Malformed: problem(err)}
	}
	s := Frame{Type: f.Type.String(), Flags: flags(f.Flags), StreamID: f.StreamID, FrameID: f.FrameID, Length: len(b)}
	switch f.Type {
	case codec.FrameHAProxyHello, codec.FrameHAProxyDisconnect, codec.FrameAgentHello, codec.FrameAgentDisconnect:
		s.fields(f)
	case codec.FrameNotify, codec.FrameUnset:
		d.notify(&s, f)
	case codec.FrameAck:
		actions, err := codec.ParseActions(f.Payload)
		s.Actions, s.Malformed = ActionsOf(actions), problem(err)
		if f.ABORT() {
			s.Note = "the agent gave up on this NOTIFY"
		}
	default:
		s.Note = fmt.Sprintf("%d bytes of payload; both sides skip what they do not know", len(f.Payload))
	}
	return s
}

// longestProblem bounds Frame.Malformed, in bytes.
const longestProblem = 1024

func problem(err error) string {
	if err == nil {
		return ""
	}
	return safetext.Clip(strings.TrimPrefix(err.Error(), "spop: "), longestProblem)
}

func flags(f codec.Flags) string {
	var names []string
	if f&codec.FlagFIN != 0 {
		names = append(names, "FIN")
	}
	if f&codec.FlagABORT != 0 {
		names = append(names, "ABORT")
	}
	if rest := f &^ (codec.FlagFIN | codec.FlagABORT); rest != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(rest)))
	}
	return strings.Join(names, "+")
}

// fields reads the KV-LIST of a hello or a DISCONNECT; a KV-LIST has no count, so fields
// reads key by key.
func (s *Frame) fields(f codec.Frame) {
	for rest := f.Payload; len(rest) > 0; {
		name, v, tail, ok := codec.NewArgs(rest, 1).Next()
		if !ok {
			s.Malformed = problem(codec.NewArgs(rest, 1).Err())
			return
		}
		s.Fields = append(s.Fields, field(string(name), v))
		rest = tail.Raw()
	}
	if f.Type == codec.FrameHAProxyDisconnect || f.Type == codec.FrameAgentDisconnect {
		if d, err := codec.ParseDisconnect(f.Payload); err == nil {
			s.Note = fmt.Sprintf("status %d: %s", uint32(d.Status), d.Status)
		}
	}
}

func field(name string, v codec.Value) Field {
	v = v.Clone()
	return Field{Name: name, JSONValue: JSON(v), value: v}
}

// notify reads messages, once they are whole.
func (d *Decoder) notify(s *Frame, f codec.Frame) {
	key := [2]uint64{f.StreamID, f.FrameID}
	before, begun := d.partial[key]
	if f.Type == codec.FrameUnset && !begun {
		s.Note = "a fragment whose NOTIFY was not seen"
		return
	}
	switch {
	case f.ABORT():
		d.drop(key)
		s.Note = fmt.Sprintf("HAProxy gave up after %d bytes of payload", len(before)+len(f.Payload))
		return
	case !f.FIN():
		s.Note = fmt.Sprintf("fragment of %d bytes, %d so far", len(f.Payload), len(before)+len(f.Payload))
		d.keep(key, before, f.Payload)
		return
	}
	payload := f.Payload
	if begun {
		payload = append(before, f.Payload...)
		d.drop(key)
		s.Note = fmt.Sprintf("last fragment, %d bytes of payload in all", len(payload))
	}
	msgs := codec.NewMessages(payload)
	for msgs.Next() {
		m := Message{Name: string(msgs.Message().Name), Args: []Field{}}
		for name, v := range msgs.Message().Args.All() {
			m.Args = append(m.Args, field(name, v))
		}
		s.Messages = append(s.Messages, m)
	}
	s.Malformed = problem(msgs.Err())
}

func (d *Decoder) keep(key [2]uint64, before, more []byte) {
	if d.partial == nil {
		d.partial = map[[2]uint64][]byte{}
	}
	if d.pending += len(more); d.pending > maxPending {
		clear(d.partial)
		d.pending = 0
		return
	}
	d.partial[key] = append(before, more...)
}

func (d *Decoder) drop(key [2]uint64) {
	d.pending -= len(d.partial[key])
	delete(d.partial, key)
}

// ActionsOf returns actions as they are shown.
func ActionsOf(actions []codec.Action) []Action {
	shown := make([]Action, len(actions))
	for i, a := range actions {
		v := a.Value.Clone()
		shown[i] = Action{Name: a.Scope.String() + "." + a.Name, JSONValue: JSON(v), Unset: a.Unset, value: v}
	}
	return shown
}
