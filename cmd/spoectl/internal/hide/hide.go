// Package hide masks secrets in frames before they are shown or recorded.
//
// It masks the arguments and variables that an agent's routes tag as secret, and those
// headers that are secrets for nearly everybody, in header blocks and where an argument or
// a variable is named after one. A mask has the length of the value that it hides, so that
// frames stay whole and a recording can be sent again.
package hide

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/internal/secret"
)

// Rules are the arguments and variables of an agent that are secret. The zero Rules
// know of headers only.
type Rules struct {
	args map[[2]string]bool // message and argument
	vars map[string]bool    // such as txn.token
}

// Of returns the rules of an agent's routes.
func Of(a haproxy.Agent) Rules {
	r := Rules{args: map[[2]string]bool{}, vars: map[string]bool{}}
	for _, m := range a.Messages {
		for _, arg := range m.Args {
			if arg.Secret {
				r.args[[2]string{m.Name, arg.Name}] = true
			}
		}
		for _, v := range m.Vars {
			if v.Secret {
				r.vars[v.Scope+"."+v.Name] = true
			}
		}
	}
	return r
}

// line is a header line with a secret, in a STRING as req.hdrs has it.
var line = regexp.MustCompile(`(?im)^(?:` + strings.Join(secret.Headers, "|") + `)[ \t]*:[ \t]*([^\r\n]*)`)

// messages masks the payload of a NOTIFY.
func (r Rules) messages(payload []byte) {
	msgs := codec.NewMessages(payload)
	for msgs.Next() {
		m := msgs.Message()
		for name, v := range m.Args.Scan() {
			if r.args[[2]string{string(m.Name), string(name)}] || secret.Header(string(name)) {
				mask(v.Bytes())
			} else {
				block(v)
			}
		}
	}
}

// actions masks the payload of an ACK.
func (r Rules) actions(payload []byte) {
	all, _ := codec.ParseActions(payload) // those before a malformed one
	for _, a := range all {
		if r.vars[a.Scope.String()+"."+a.Name] || secret.Header(a.Name) {
			mask(a.Value.Bytes())
		} else {
			block(a.Value)
		}
	}
}

// block masks the headers in a header block.
func block(v codec.Value) {
	b := v.Bytes()
	for _, m := range line.FindAllSubmatchIndex(b, -1) {
		mask(b[m[2]:m[3]])
	}
	if v.Type() != codec.TypeBinary {
		return
	}
	// The values are masked where they stand: the encoding of a header is unique.
	at := 0
	for name, value := range codec.NewHeaderBlock(b).All() {
		at += len(codec.AppendString(nil, name))
		size := len(codec.AppendString(nil, value))
		if end := at + size; secret.Header(name) && end <= len(b) {
			mask(b[end-len(value) : end])
		}
		at += size
	}
}

func mask(b []byte) {
	for i := range b {
		b[i] = '*'
	}
}

// maxHeld bounds the fragments that a Hider holds, in bytes.
const maxHeld = 16 << 20

// Hider masks the frames of all connections. It holds fragments until their payload
// is whole, because a secret can lie across two of them. A nil Hider hides nothing.
type Hider struct {
	Rules
	open map[id][]recording.Record
	held int // bytes in open
}

type id struct {
	conn          int
	stream, frame uint64
}

// Add takes the next frame and returns the frames that can be shown now. They share no
// memory with it, unless h is nil.
func (h *Hider) Add(r recording.Record) []recording.Record {
	if h == nil {
		return []recording.Record{r}
	}
	r.Frame = bytes.Clone(r.Frame)
	if len(r.Frame) < codec.LengthSize {
		return []recording.Record{r}
	}
	f, err := codec.ParseFrame(r.Frame[codec.LengthSize:])
	if err != nil {
		return []recording.Record{r}
	}
	switch {
	case f.Type == codec.FrameAck:
		h.actions(f.Payload)
	case f.Type == codec.FrameNotify || f.Type == codec.FrameUnset:
		return h.fragment(id{r.Conn, f.StreamID, f.FrameID}, r, f)
	}
	return []recording.Record{r}
}

func (h *Hider) fragment(k id, r recording.Record, f codec.Frame) []recording.Record {
	before := h.open[k]
	if len(before) == 0 && f.Type == codec.FrameNotify && f.FIN() {
		h.messages(f.Payload)
		return []recording.Record{r}
	}
	all := append(before, r)
	switch {
	case f.Type == codec.FrameUnset && len(before) == 0, f.ABORT(), h.held+len(r.Frame) > maxHeld:
		// The frames before and behind it are not in the recording: it is masked whole.
		h.forget(k)
		for _, r := range all {
			mask(payload(r))
		}
		return all
	case !f.FIN():
		if h.open == nil {
			h.open = map[id][]recording.Record{}
		}
		h.open[k] = all
		h.held += len(r.Frame)
		return nil
	}
	h.forget(k)
	var whole []byte
	for _, r := range all {
		whole = append(whole, payload(r)...)
	}
	h.messages(whole)
	for _, r := range all {
		whole = whole[copy(payload(r), whole):]
	}
	return all
}

func (h *Hider) forget(k id) {
	for _, r := range h.open[k] {
		h.held -= len(r.Frame)
	}
	delete(h.open, k)
}

// Rest returns the fragments whose payload is not whole, masked.
func (h *Hider) Rest() []recording.Record {
	if h == nil {
		return nil
	}
	var all []recording.Record
	for k, records := range h.open {
		for _, r := range records {
			mask(payload(r))
		}
		all = append(all, records...)
		h.forget(k)
	}
	return all
}

func payload(r recording.Record) []byte {
	f, _ := codec.ParseFrame(r.Frame[codec.LengthSize:]) // it was parsed before
	return f.Payload
}
