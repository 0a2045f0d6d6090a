package haproxy

import (
	"regexp"
	"slices"
	"strings"
)

// mention is a variable's name in the configuration.
type mention struct {
	scope, name string // with the prefix
	read, set   bool   // or neither: it is unset, or a converter's argument
	at          directive
	in          *section // nil in the SPOE file
	line        int      // the index in the section's lines
}

// varName finds variables where a function has one for its argument: var(txn.x),
// set-var(txn.x), unset-var(txn.x), add(txn.x), concat(,txn.x).
var varName = regexp.MustCompile(`(?:([a-z-]*var(?:-fmt)?)\(|[(,])\s*["']?(proc|sess|txn|req|res)\.([A-Za-z0-9_.]+)`)

// mentioned returns the variables in a line.
func mentioned(d *directive) []mention {
	var all []mention
	for _, m := range varName.FindAllStringSubmatch(d.text(), -1) {
		all = append(all, mention{scope: m[2], name: m[3], read: m[1] == "var", set: strings.HasPrefix(m[1], "set-var"), at: *d})
	}
	if (d.is("set-var") || d.is("set-var-fmt")) && len(d.words) > 1 { // of a global section
		if scope, name, ok := strings.Cut(d.words[1], "."); ok {
			all = append(all, mention{scope: scope, name: name, set: true, at: *d})
		}
	}
	return all
}

func mentionedIn(lines []directive) []mention {
	var all []mention
	for _, d := range lines {
		all = append(all, mentioned(&d)...)
	}
	return all
}

// findMentions returns all variables in haproxy.cfg and in the engine's SPOE file.
func (c *checker) findMentions() []mention {
	var all []mention
	for _, s := range c.cfg.sections {
		for i := range s.lines {
			for _, m := range mentioned(&s.lines[i]) {
				m.in, m.line = s, i
				all = append(all, m)
			}
		}
	}
	for _, m := range c.engine.messages {
		all = append(all, mentionedIn(slices.Concat(m.acls, m.argLines(), []directive{m.eventAt}))...)
	}
	return all
}

// argLines returns the args lines of a message, each once.
func (m *spoeMessage) argLines() []directive {
	var lines []directive
	for _, a := range m.args {
		if len(lines) == 0 || lines[len(lines)-1].line != a.at.line {
			lines = append(lines, a.at)
		}
	}
	return lines
}
