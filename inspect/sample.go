package inspect

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/spoe"
)

const (
	maxValue  = 2048  // bytes of a value that are shown
	maxRead   = 32768 // bytes of a value that are read to hide secrets; longer values are cut first
	maxFields = 64    // arguments, and variables, that are shown
	maxHex    = 512   // bytes of a binary value in a command line
)

// An event is a message whose handler returned; it is valid as long as the message.
type event struct {
	ctx      context.Context
	msg      *spoe.Message
	acts     *spoe.Actions
	err      error
	start    time.Duration // since the page's epoch
	took     time.Duration
	panicked bool
	outcome  outcome
	made     *sample
}

// A sample is one message for the pages, without secrets.
type sample struct {
	at   time.Time
	took time.Duration

	Time    time.Time `json:"time"`
	Message string    `json:"message"`
	Outcome string    `json:"outcome"`
	Error   string    `json:"error,omitempty"`
	WaitUS  float64   `json:"waitUS"`
	TookUS  float64   `json:"tookUS"`
	Peer    string    `json:"peer"`
	Engine  string    `json:"engine"`
	Stream  uint64    `json:"stream"`
	Frame   uint64    `json:"frame"`
	Trace   string    `json:"trace,omitempty"`
	Args    []field   `json:"args"`
	Vars    []field   `json:"vars"`
	Ask     string    `json:"ask"`
}

// A field is an argument or a variable.
type field struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden,omitempty"`
}

// sample returns the event's sample. The first call makes it.
func (e *event) sample(p *Page) *sample {
	if e.made != nil {
		return e.made
	}
	start := p.epoch.Add(e.start)
	s := &sample{
		at: start.Add(e.took), took: e.took,
		Time: start, Message: clipName(e.msg.Name), Outcome: e.outcome.String(),
		WaitUS: micros(start.Sub(e.msg.ReceivedAt())), TookUS: micros(e.took),
		Engine: clipName(e.msg.EngineID()), Stream: e.msg.StreamID(), Frame: e.msg.FrameID(),
		Args: []field{}, Vars: []field{},
	}
	if peer := e.msg.Peer(); peer != nil {
		s.Peer = clipName(peer.String())
	}
	if p.cfg.TraceID != nil {
		s.Trace = clipName(p.cfg.TraceID(e.ctx))
	}
	switch {
	case e.err != nil:
		s.Error = safetext.Error(e.err, maxValue)
	case e.panicked:
		s.Error = "the handler panicked"
	}
	ask := []string{"spoectl", "ask", quote(p.cfg.Addr), quote(s.Message)}
	for name, v := range e.msg.Args.All() {
		if len(s.Args) == maxFields {
			break
		}
		f, word := p.arg(name, v)
		s.Args = append(s.Args, f)
		ask = append(ask, word)
		if name == "traceparent" && !f.Hidden && s.Trace == "" {
			if parts := strings.Split(f.Value, "-"); len(parts) == 4 {
				s.Trace = parts[1]
			}
		}
	}
	s.Ask = strings.Join(ask, " ")
	if e.err == nil && !e.panicked { // an error drops the message's variables
		for act := range e.acts.All() {
			if len(s.Vars) == maxFields {
				break
			}
			s.Vars = append(s.Vars, p.variable(act))
		}
	}
	e.made = s
	return s
}

func (p *Page) variable(act codec.Action) field {
	f := field{Name: clipName(act.Scope.String() + "." + act.Name), Type: "unset"}
	if !act.Unset {
		f.Type = act.Value.Type().String()
		f.Value, f.Hidden = p.value(act.Value, p.secretVar(act.Scope, act.Name))
	}
	return f
}

// arg returns an argument and the word of the command line that sends it again.
func (p *Page) arg(name string, v codec.Value) (f field, word string) {
	f = field{Name: clipName(name), Type: v.Type().String()}
	f.Value, f.Hidden = p.value(v, p.secretArg(name))
	typ, text := "string", f.Value
	b := v.Bytes()
	switch {
	case f.Hidden:
		text = redacted
	case v.Type() == codec.TypeNull:
		typ, text = "null", ""
	case v.Type() == codec.TypeString && f.Value == string(b):
		if strings.HasPrefix(text, "@") {
			text = "@" + text
		}
	case v.Type() == codec.TypeString || v.Type() == codec.TypeBinary:
		typ, text = "hex", hex.EncodeToString(b[:min(len(b), maxHex)])
	case v.Type() == codec.TypeIPv4 || v.Type() == codec.TypeIPv6:
		typ = "ip"
	default:
		typ = strings.ToLower(f.Type)
	}
	return f, quote(f.Name + ":" + typ + "=" + text)
}

// value returns a value as text that is safe to show, and reports whether a part
// of it is hidden.
func (p *Page) value(v codec.Value, secret bool) (text string, hidden bool) {
	if secret {
		return redacted, true
	}
	if v.Type() != codec.TypeString && v.Type() != codec.TypeBinary {
		return safetext.Clip(v.String(), maxValue), false
	}
	b := v.Bytes()
	if !mentionsSecret(b[:min(len(b), maxRead)]) && len(b) <= maxRead {
		if v.Type() == codec.TypeBinary {
			if lines, _, ok := readBlock(b); ok {
				return clipLines(lines), false
			}
		}
		return safetext.ClipBytes(b, maxValue), false
	}
	if v.Type() == codec.TypeBinary {
		lines, hidden, ok := readBlock(b)
		switch {
		case ok:
			return clipLines(lines), hidden
		case mentionsSecret(b): // perhaps a header block that cannot be read
			return redacted, true
		}
		return safetext.ClipBytes(b, maxValue), false
	}
	text, hidden = maskLines(string(b))
	return clipLines(text), hidden
}

// clipLines makes each line of text safe to show and keeps the ends of lines.
func clipLines(text string) string {
	var s strings.Builder
	for line := range strings.Lines(text) {
		if s.Len() >= maxValue {
			s.WriteString("…")
			break
		}
		line = strings.TrimRight(line, "\r\n")
		if s.Len() > 0 {
			s.WriteByte('\n')
		}
		s.WriteString(safetext.Clip(line, maxValue-s.Len()))
	}
	return s.String()
}

func clipName(s string) string { return safetext.Clip(s, 128) }

// quote returns s as one word of a POSIX shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,") == "" && s[0] != '-' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func micros(d time.Duration) float64 { return float64(max(d, 0).Nanoseconds()) / 1000 }
