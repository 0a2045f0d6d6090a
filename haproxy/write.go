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
	// `haproxy -f haproxy.cfg -f agents.cfg`.
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

// checkWritable tells what HAProxy's half cannot be written without, and what
// HAProxy would take in silence and not do.
func (a *Agent) checkWritable(c Config) error {
	var errs []error
	if len(a.Messages) == 0 {
		errs = append(errs, errors.New("haproxy: there is no message: register a handler first"))
	}
	for _, m := range a.Messages {
		wrong := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("haproxy: message %q%s: %w", m.Name, m.at(), fmt.Errorf(format, args...)))
		}
		if m.Event == "" && m.Group == "" {
			wrong("it is not said when HAProxy sends it: write Handle(…).Event(router.OnFrontendHTTPRequest), or .Group(\"name\") for a rule to send it")
		}
		if m.Condition != "" {
			if _, err := words(m.Condition, nil); err != nil {
				wrong("the condition %q has %w", m.Condition, err)
			}
		}
		for _, arg := range m.Args {
			switch w, err := words(arg.Fetch, nil); {
			case arg.Fetch == "" && arg.Field != "":
				wrong("it is not said where HAProxy has the argument %q from: write a tag behind the field %s, such as `fetch:\"src\"`", arg.label(), arg.Field)
			case err != nil:
				wrong("the argument %q: the sample %s has %w", arg.label(), arg.Fetch, err)
			case len(w) != 1:
				wrong("the argument %q: the sample %s is not one word: put it between double quotes, or a backslash before each space and '#'", arg.label(), arg.Fetch)
			case !arg.Shared && !m.hasSample(arg.Fetch):
				wrong("the argument %q: HAProxy does not have %s on %s, and refuses it: take another sample or event", arg.label(), arg.Fetch, m.stage())
			case arg.Name == "" && strings.Contains(w[0], "="):
				wrong("the argument %q: HAProxy would take %s for a name and a sample, as it has a '=': give the argument a name", arg.label(), arg.Fetch)
			}
		}
		if err := m.checkPositions(); err != nil {
			wrong("%w", err)
		}
		for _, v := range m.Vars {
			if full := c.fullName(v.Scope, v.Name); len(full) > maxVarName {
				wrong("the variable %s has %d bytes, HAProxy takes %d at most: shorten Config.Prefix or the name", full, len(full), maxVarName)
			}
		}
	}
	return errors.Join(errs...)
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
