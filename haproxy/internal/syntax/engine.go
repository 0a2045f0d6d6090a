package syntax

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Engine is one scope of an SPOE file (SPOE.txt §2.1 to §2.4).
type Engine struct {
	Name     string
	File     string
	Head     Directive // of the agent section
	Messages []*SPOEMessage
	groups   []*SPOEGroup

	// Of the agent section.
	Listed          []reference // `messages`
	ListedGroups    []reference // `groups`
	Backend         string
	Prefix          string
	PrefixAt        Directive
	Registered      []string
	Force           bool
	OnError         string
	OwnVars         []string // that HAProxy sets itself
	Processing      time.Duration
	ProcessingAt    Directive
	Idle, Hello     time.Duration // up to HAProxy 3.0
	IdleAt, HelloAt Directive
	MaxFrameSize    int
	MaxFrameSizeAt  Directive
}

// FullName is the name in rules of a variable that the agent sets.
func (e *Engine) FullName(scope, name string) string { return scope + "." + e.Prefix + "." + name }

// reference is a name that a line mentions.
type reference struct {
	name string
	at   Directive
}

type SPOEMessage struct {
	Name    string
	Head    Directive
	Args    []SentArg
	Event   string
	EventAt Directive
	ACLs    []Directive
}

// SentArg is an argument of an args line.
type SentArg struct {
	Name, Fetch string
	At          Directive
}

type SPOEGroup struct {
	Name     string
	Head     Directive
	messages []reference
}

// ParseEngine reads the scope of that name; "" is a file without scopes.
func ParseEngine(name, file string, lines []Directive) (*Engine, error) {
	e := &Engine{Name: name, File: file}
	scope, found := "", name == ""
	var scopes []string
	var add func(d Directive)
	for _, d := range lines {
		if s, ok := strings.CutPrefix(d.Words[0], "["); ok {
			scope = strings.TrimSuffix(s, "]")
			scopes = append(scopes, scope)
			found = found || scope == name
			continue
		}
		if scope != name {
			continue
		}
		switch d.Words[0] {
		case "spoe-agent":
			e.Head, e.Prefix, e.PrefixAt = d, d.Second(), d
			add = e.agentLine
		case "spoe-message":
			m := &SPOEMessage{Name: d.Second(), Head: d}
			e.Messages = append(e.Messages, m)
			add = m.line
		case "spoe-group":
			g := &SPOEGroup{Name: d.Second(), Head: d}
			e.groups = append(e.groups, g)
			add = g.line
		default:
			if add != nil {
				add(d)
			}
		}
	}
	switch {
	case len(lines) == 0:
		return nil, fmt.Errorf("haproxy: %s is empty: write it by -print-config=spoe", file)
	case !found:
		return nil, fmt.Errorf("haproxy: %s has no scope [%s]: it has %v", file, name, scopes)
	case e.Head.Words == nil:
		return nil, fmt.Errorf("haproxy: %s has no section spoe-agent for the engine %q", file, name)
	}
	return e, nil
}

// ID is the engine's name in rules: its own or, without one, its agent's.
func (e *Engine) ID() string {
	return cmp.Or(e.Name, e.Head.Second())
}

func (e *Engine) agentLine(d Directive) {
	rest := d.Words[1:]
	last := d.Words[len(d.Words)-1]
	switch {
	case d.Is("messages"):
		for _, w := range rest {
			e.Listed = append(e.Listed, reference{w, d})
		}
	case d.Is("groups"):
		for _, w := range rest {
			e.ListedGroups = append(e.ListedGroups, reference{w, d})
		}
	case d.Is("use-backend"):
		e.Backend = last
	case d.Is("register-var-names"):
		e.Registered = append(e.Registered, rest...)
	case d.Is("option", "var-prefix"):
		e.Prefix, e.PrefixAt = last, d
	case d.Is("option", "force-set-var"):
		e.Force = true
	case d.Is("option", "set-on-error"):
		e.OnError = last
		e.OwnVars = append(e.OwnVars, last)
	case d.Is("option", "set-process-time"), d.Is("option", "set-total-time"):
		e.OwnVars = append(e.OwnVars, last)
	case d.Is("timeout", "processing"):
		// HAProxy refuses other text.
		if t, _ := parseTime(last); !d.Maybe || t > e.Processing {
			e.Processing, e.ProcessingAt = t, d
		}
	case d.Is("timeout", "idle") && !d.Maybe:
		e.Idle, _ = parseTime(last)
		e.IdleAt = d
	case d.Is("timeout", "hello") && !d.Maybe:
		e.Hello, _ = parseTime(last)
		e.HelloAt = d
	case d.Is("max-frame-size") && !d.Maybe:
		e.MaxFrameSize, _ = parseInt(last)
		e.MaxFrameSizeAt = d
	}
}

func (m *SPOEMessage) line(d Directive) {
	switch d.Words[0] {
	case "args":
		for _, w := range d.Words[1:] {
			a := SentArg{Fetch: w, At: d}
			if name, fetch, ok := strings.Cut(w, "="); ok {
				a.Name, a.Fetch = name, fetch
			}
			m.Args = append(m.Args, a)
		}
	case "event":
		if len(d.Words) > 1 {
			m.Event, m.EventAt = d.Words[1], d
		}
	case "acl":
		m.ACLs = append(m.ACLs, d)
	}
}

func (g *SPOEGroup) line(d Directive) {
	if d.Is("messages") {
		for _, w := range d.Words[1:] {
			g.messages = append(g.messages, reference{w, d})
		}
	}
}

func (e *Engine) Message(name string) *SPOEMessage {
	i := slices.IndexFunc(e.Messages, func(m *SPOEMessage) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return e.Messages[i]
}

// GroupOf returns the group that has a message, and the line that mentions it.
func (e *Engine) GroupOf(message string) (*SPOEGroup, Directive) {
	for _, g := range e.groups {
		for _, m := range g.messages {
			if m.name == message {
				return g, m.at
			}
		}
	}
	return nil, Directive{}
}

func Mentions(refs []reference, name string) bool {
	return slices.ContainsFunc(refs, func(r reference) bool { return r.name == name })
}

// ArgLines returns the args lines of a message, each once.
func (m *SPOEMessage) ArgLines() []Directive {
	var lines []Directive
	for _, a := range m.Args {
		if len(lines) == 0 || lines[len(lines)-1].Line != a.At.Line {
			lines = append(lines, a.At)
		}
	}
	return lines
}
