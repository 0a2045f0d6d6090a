package haproxy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// engine is one scope of an SPOE file (SPOE.txt §2.1 to §2.4).
type engine struct {
	name     string
	file     string
	head     directive // of the agent section
	messages []*spoeMessage
	groups   []*spoeGroup

	// Of the agent section.
	listed         []reference // `messages`
	listedGroups   []reference // `groups`
	backend        string
	prefix         string
	prefixAt       directive
	registered     []string
	force          bool
	onError        string
	ownVars        []string // that HAProxy sets itself
	processing     time.Duration
	processingAt   directive
	maxFrameSize   int
	maxFrameSizeAt directive
}

// fullName is the name in rules of a variable that the agent sets.
func (e *engine) fullName(scope, name string) string { return scope + "." + e.prefix + "." + name }

// reference is a name that a line mentions.
type reference struct {
	name string
	at   directive
}

type spoeMessage struct {
	name      string
	head      directive
	args      []sentArg
	event     string
	eventAt   directive
	condition []string
	acls      []directive
}

// sentArg is an argument of an args line.
type sentArg struct {
	name, fetch string
	at          directive
}

type spoeGroup struct {
	name     string
	head     directive
	messages []reference
}

// parseEngine reads the scope of that name; "" is a file without scopes.
func parseEngine(name, file string, lines []directive) (*engine, error) {
	e := &engine{name: name, file: file}
	scope, found := "", name == ""
	var scopes []string
	var add func(d directive)
	for _, d := range lines {
		if s, ok := strings.CutPrefix(d.words[0], "["); ok {
			scope = strings.TrimSuffix(s, "]")
			scopes = append(scopes, scope)
			found = found || scope == name
			continue
		}
		if scope != name {
			continue
		}
		second := ""
		if len(d.words) > 1 {
			second = d.words[1]
		}
		switch d.words[0] {
		case "spoe-agent":
			e.head, e.prefix, e.prefixAt = d, second, d
			add = e.agentLine
		case "spoe-message":
			m := &spoeMessage{name: second, head: d}
			e.messages = append(e.messages, m)
			add = m.line
		case "spoe-group":
			g := &spoeGroup{name: second, head: d}
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
	case e.head.words == nil:
		return nil, fmt.Errorf("haproxy: %s has no section spoe-agent for the engine %q", file, name)
	}
	return e, nil
}

// id is the engine's name in rules: without one of its own it has its agent's.
func (e *engine) id() string {
	if e.name != "" || len(e.head.words) < 2 {
		return e.name
	}
	return e.head.words[1]
}

func (e *engine) agentLine(d directive) {
	rest := d.words[1:]
	last := d.words[len(d.words)-1]
	switch {
	case d.is("messages"):
		for _, w := range rest {
			e.listed = append(e.listed, reference{w, d})
		}
	case d.is("groups"):
		for _, w := range rest {
			e.listedGroups = append(e.listedGroups, reference{w, d})
		}
	case d.is("use-backend"):
		e.backend = last
	case d.is("register-var-names"):
		e.registered = append(e.registered, rest...)
	case d.is("option", "var-prefix"):
		e.prefix, e.prefixAt = last, d
	case d.is("option", "force-set-var"):
		e.force = true
	case d.is("option", "set-on-error"):
		e.onError = last
		e.ownVars = append(e.ownVars, last)
	case d.is("option", "set-process-time"), d.is("option", "set-total-time"):
		e.ownVars = append(e.ownVars, last)
	case d.is("timeout", "processing"):
		// HAProxy refuses what is none.
		if t, _ := parseTime(last); !d.maybe || t > e.processing {
			e.processing, e.processingAt = t, d
		}
	case d.is("max-frame-size") && !d.maybe:
		e.maxFrameSize, _ = parseInt(last)
		e.maxFrameSizeAt = d
	}
}

func (m *spoeMessage) line(d directive) {
	switch d.words[0] {
	case "args":
		for _, w := range d.words[1:] {
			a := sentArg{fetch: w, at: d}
			if name, fetch, ok := strings.Cut(w, "="); ok {
				a.name, a.fetch = name, fetch
			}
			m.args = append(m.args, a)
		}
	case "event":
		if len(d.words) > 1 {
			m.event, m.condition, m.eventAt = d.words[1], d.words[2:], d
		}
	case "acl":
		m.acls = append(m.acls, d)
	}
}

func (g *spoeGroup) line(d directive) {
	if d.is("messages") {
		for _, w := range d.words[1:] {
			g.messages = append(g.messages, reference{w, d})
		}
	}
}

func (e *engine) message(name string) *spoeMessage {
	i := slices.IndexFunc(e.messages, func(m *spoeMessage) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return e.messages[i]
}

// groupOf returns the group that has a message, and where it is mentioned.
func (e *engine) groupOf(message string) (*spoeGroup, directive) {
	for _, g := range e.groups {
		for _, m := range g.messages {
			if m.name == message {
				return g, m.at
			}
		}
	}
	return nil, directive{}
}

func mentions(refs []reference, name string) bool {
	return slices.ContainsFunc(refs, func(r reference) bool { return r.name == name })
}
