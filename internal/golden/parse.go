package golden

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

var frameTypes = map[string]codec.FrameType{}

func init() {
	for _, t := range []codec.FrameType{
		codec.FrameUnset, codec.FrameHAProxyHello, codec.FrameHAProxyDisconnect, codec.FrameNotify,
		codec.FrameAgentHello, codec.FrameAgentDisconnect, codec.FrameAck,
	} {
		frameTypes[t.String()] = t
	}
}

// parseHead reads a frame's first line.
func parseHead(line string) (Frame, error) {
	w := words{line: line}
	typ := w.word()
	t, ok := frameTypes[typ]
	if !ok {
		w.fail("no frame type %q", typ)
	}
	f := Frame{Type: t}
	for strings.TrimSpace(w.line) != "" {
		word := w.word()
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "fin":
			f.FIN = true
			continue
		case "stream-id", "frame-id":
		default:
			w.fail("no %q here", word)
		}
		n, err := strconv.ParseUint(value, 10, 64)
		w.failed(err)
		if name == "frame-id" {
			f.FrameID = n
		} else {
			f.StreamID = n
		}
	}
	return f, w.end()
}

// parseLine reads a further line.
func (f *Frame) parseLine(line string) error {
	w := words{line: line}
	if w.quoted() {
		pairs := f.pairs()
		*pairs = append(*pairs, Pair{Name: w.text(), Value: w.value()})
		return w.end()
	}
	switch word := w.word(); word {
	case "message":
		f.Messages = append(f.Messages, Message{Name: w.text()})
	case "header":
		pairs := *f.pairs()
		if len(pairs) == 0 {
			return errors.New("a header of nothing")
		}
		p := &pairs[len(pairs)-1]
		if p.Headers == nil {
			p.Headers = http.Header{}
		}
		name := w.text()
		p.Headers[name] = append(p.Headers[name], w.text())
	case "set-var", "unset-var":
		a := codec.Action{Unset: word == "unset-var"}
		var ok bool
		if a.Scope, ok = codec.ParseScope(w.word()); !ok {
			w.fail("no such scope")
		}
		a.Name = w.text()
		if !a.Unset {
			a.Value = w.value()
		}
		f.Actions = append(f.Actions, a)
	default:
		w.fail("no %q here", word)
	}
	return w.end()
}

// pairs points to the list that the next line adds to.
func (f *Frame) pairs() *[]Pair {
	if n := len(f.Messages); n > 0 {
		return &f.Messages[n-1].Args
	}
	return &f.Pairs
}
