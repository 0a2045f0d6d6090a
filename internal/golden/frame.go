package golden

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Frame is a decoded frame.
type Frame struct {
	Type     codec.FrameType
	FIN      bool
	StreamID uint64
	FrameID  uint64

	Pairs    []Pair         // of a hello or a disconnect
	Messages []Message      // of a NOTIFY, with the last of its fragments
	Actions  []codec.Action // of an ACK
}

// Message is one message of a NOTIFY.
type Message struct {
	Name string
	Args []Pair
}

// Pair is an argument, or a key of a hello or a disconnect.
type Pair struct {
	Name  string
	Value codec.Value
	// Headers are the headers in Value, if it has any.
	Headers http.Header
}

// Payload encodes the decoded frame.
func (f Frame) Payload() []byte {
	var b []byte
	for _, p := range f.Pairs {
		b = codec.AppendArg(b, p.Name, p.Value)
	}
	for _, m := range f.Messages {
		b = codec.AppendMessage(b, m.Name, len(m.Args))
		for _, p := range m.Args {
			b = codec.AppendArg(b, p.Name, p.Value)
		}
	}
	for _, a := range f.Actions {
		if a.Unset {
			b = codec.AppendUnsetVar(b, a.Scope, a.Name)
		} else {
			b = codec.AppendSetVar(b, a.Scope, a.Name, a.Value)
		}
	}
	return b
}

// Encode encodes the whole frame with its length; payload is Payload's, or
// that of a fragment.
func (f Frame) Encode(payload []byte) []byte {
	var flags codec.Flags
	if f.FIN {
		flags = codec.FlagFIN
	}
	b := codec.BeginFrame(nil, f.Type, flags, f.StreamID, f.FrameID)
	return codec.FinishFrame(append(b, payload...), 0)
}

// String is the frame as it stands in a file, without the #>.
func (f Frame) String() string {
	var b strings.Builder
	line := func(depth int, words ...string) {
		b.WriteString(strings.Repeat("  ", depth) + strings.Join(words, " ") + "\n")
	}
	line(0, f.head()...)
	pairs := func(depth int, pairs []Pair) {
		for _, p := range pairs {
			line(depth, Quote(p.Name), formatValue(p.Value))
			for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
				for _, value := range p.Headers[name] {
					line(depth+1, "header", Quote(name), Quote(value))
				}
			}
		}
	}
	pairs(1, f.Pairs)
	for _, m := range f.Messages {
		line(1, "message", Quote(m.Name))
		pairs(2, m.Args)
	}
	for _, a := range f.Actions {
		if a.Unset {
			line(1, "unset-var", a.Scope.String(), Quote(a.Name))
		} else {
			line(1, "set-var", a.Scope.String(), Quote(a.Name), formatValue(a.Value))
		}
	}
	return b.String()
}
