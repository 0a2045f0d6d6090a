package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// mention is a variable's name in the configuration.
type mention struct {
	scope, name string // with the prefix
	read, set   bool   // if neither: it is unset, or a converter's argument
	at          syntax.Directive
	in          *syntax.Section // nil in the SPOE file
	line        int             // the index in the section's lines
}

// varName finds variables that are arguments of a function: var(txn.x), set-var(txn.x),
// unset-var(txn.x), add(txn.x), concat(,txn.x).
var varName = regexp.MustCompile(`(?:([a-z-]*var(?:-fmt)?)\(|[(,])\s*["']?(proc|sess|txn|req|res)\.([A-Za-z0-9_.]+)`)

// mentioned returns the variables in a line.
func mentioned(d *syntax.Directive) []mention {
	var all []mention
	for _, m := range varName.FindAllStringSubmatch(d.Text(), -1) {
		all = append(all, mention{scope: m[2], name: m[3], read: m[1] == "var", set: strings.HasPrefix(m[1], "set-var"), at: *d})
	}
	if (d.Is("set-var") || d.Is("set-var-fmt")) && len(d.Words) > 1 { // of a global section
		if scope, name, ok := strings.Cut(d.Words[1], "."); ok {
			all = append(all, mention{scope: scope, name: name, set: true, at: *d})
		}
	}
	return all
}

func mentionedIn(lines []syntax.Directive) []mention {
	var all []mention
	for _, d := range lines {
		all = append(all, mentioned(&d)...)
	}
	return all
}

// reads returns the mentions, and for each rule that names an ACL, the variables that
// the ACL reads.
func (c *checker) reads() []mention {
	all := slices.Clone(c.mentions)
	for _, s := range c.cfg.Sections {
		for i := range s.Lines {
			for _, acl := range namedIn(s.Lines[i], s.All()) {
				for _, m := range mentioned(&acl) {
					m.at, m.in, m.line = s.Lines[i], s, i
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// findMentions returns all variables in haproxy.cfg and in the engine's SPOE file.
func (c *checker) findMentions() []mention {
	var all []mention
	for _, s := range c.cfg.Sections {
		for i := range s.Lines {
			for _, m := range mentioned(&s.Lines[i]) {
				m.in, m.line = s, i
				all = append(all, m)
			}
		}
	}
	for _, m := range c.engine.Messages {
		all = append(all, mentionedIn(slices.Concat(m.ACLs, m.ArgLines(), []syntax.Directive{m.EventAt}))...)
	}
	return all
}
