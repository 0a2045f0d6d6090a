package haproxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/router"
)

// Files are HAProxy's half of the configuration, as texts.
type Files struct {
	// SPOE is the SPOE file, which the frontend's filter line loads.
	SPOE string
	// Backend is a file beside haproxy.cfg with the agents' backend:
	// `haproxy -f agents.cfg -f haproxy.cfg`. It comes first: a larger buffer must
	// be known where the filter line is read.
	Backend string
	// Frontend are lines for the frontend in haproxy.cfg.
	Frontend string
}

// Write makes HAProxy's half for an agent. The error names all that is not said:
// messages without an event or group, arguments without a sample.
func Write(a Agent, c Config) (Files, error) {
	c, err := c.complete(a)
	if err = errors.Join(err, a.checkWritable(c)); err != nil {
		return Files{}, err
	}
	return Files{SPOE: writeSPOE(a, c), Backend: writeBackend(a, c), Frontend: writeFrontend(a, c)}, nil
}

// at is where the message is registered, for a text.
func (m *Message) at() string {
	if m.Site == "" {
		return ""
	}
	return " (" + m.Site + ")"
}

// label names an argument in a text.
func (a *Arg) label() string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Pos != nil:
		return fmt.Sprintf("#%d", *a.Pos)
	}
	return a.Fetch
}

// inOrder returns the arguments in the order in which they are sent: those with a
// position and no name at theirs, the others around them as they are written.
func (m *Message) inOrder() []Arg {
	sent := slices.DeleteFunc(slices.Clone(m.Args), func(a Arg) bool { return a.Shared && !m.hasSample(a.Fetch) })
	placed := make([]*Arg, len(sent))
	var rest []*Arg
	for i := range sent {
		switch a := &sent[i]; {
		case a.Name == "" && a.Pos != nil && *a.Pos < len(placed) && placed[*a.Pos] == nil:
			placed[*a.Pos] = a
		default:
			rest = append(rest, a)
		}
	}
	args := make([]Arg, 0, len(placed))
	for _, a := range placed {
		if a == nil {
			a, rest = rest[0], rest[1:]
		}
		args = append(args, *a)
	}
	return args
}

// checkPositions tells whether each argument without a name is where the handler
// looks for it.
func (m *Message) checkPositions() error {
	for i, a := range m.inOrder() {
		if a.Name == "" && a.Pos != nil && *a.Pos != i {
			return fmt.Errorf("the argument %q would be at position %d: there are not enough arguments before it; give it a name", a.label(), i)
		}
	}
	return nil
}

// fullName is a variable's name in HAProxy's configuration.
func (c *Config) fullName(scope, name string) string { return scope + "." + c.Prefix + "." + name }

// groups returns the names of the groups, in the order in which they first occur.
func (a *Agent) groups() []string {
	var names []string
	for _, m := range a.Messages {
		if m.Group != "" && !slices.Contains(names, m.Group) {
			names = append(names, m.Group)
		}
	}
	return names
}

// members returns the names of the messages of a group or, for "", of those with
// an event.
func (a *Agent) members(group string) []string {
	var names []string
	for _, m := range a.Messages {
		if m.Group == group {
			names = append(names, m.Name)
		}
	}
	return names
}

// text is a configuration that is being written.
type text struct{ strings.Builder }

func (t *text) line(words ...string) {
	t.WriteString(strings.TrimRight(strings.Join(words, " "), " ") + "\n")
}

// maxList is how many words are written behind a keyword; HAProxy has up to 64 in
// a line.
const maxList = 60

// list writes a keyword with words behind it, in several lines where they are too
// many for one.
func (t *text) list(keyword string, names []string) {
	for part := range slices.Chunk(names, maxList) {
		t.line(keyword, strings.Join(part, " "))
	}
}

// lineWidth is where comments are broken.
const lineWidth = 84

// comment writes a comment in lines of their own, each behind the indent.
func (t *text) comment(indent, s string) {
	line := indent + "#"
	for _, w := range strings.Fields(s) {
		if len(line)+1+len(w) > lineWidth && line != indent+"#" {
			t.line(line)
			line = indent + "#"
		}
		line += " " + w
	}
	t.line(line)
}

// rejecting is the rule that refuses a request, by the event that has no answer.
var rejecting = map[router.Event]string{
	router.OnClientSession:       "tcp-request content reject",
	router.OnFrontendTCPRequest:  "tcp-request content reject",
	router.OnBackendTCPRequest:   "tcp-request content reject",
	router.OnFrontendHTTPRequest: "http-request deny deny_status 503",
	router.OnBackendHTTPRequest:  "http-request deny deny_status 503",
	router.OnServerSession:       "tcp-response content reject",
	router.OnTCPResponse:         "tcp-response content reject",
	router.OnHTTPResponse:        "http-response deny deny_status 502",
}
