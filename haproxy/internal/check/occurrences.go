package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// occurrence is a variable's name in the configuration.
type occurrence struct {
	scope, name string // with the prefix
	read, set   bool   // if neither: it is unset, or a converter's argument
	at          syntax.Directive
	in          *syntax.Section // nil in the SPOE file
	line        int             // the index in the section's lines
}

// varName finds variables that are arguments of a function: var(txn.x), set-var(txn.x),
// unset-var(txn.x), add(txn.x), concat(,txn.x).
var varName = regexp.MustCompile(`(?:([a-z-]*var(?:-fmt)?)\(|[(,])\s*["']?(proc|sess|txn|req|res)\.([A-Za-z0-9_.]+)`)

// variablesIn returns the variables in a line.
func variablesIn(d *syntax.Directive) []occurrence {
	var all []occurrence
	for _, m := range varName.FindAllStringSubmatch(d.Text(), -1) {
		all = append(all, occurrence{scope: m[2], name: m[3], read: m[1] == "var", set: strings.HasPrefix(m[1], "set-var"), at: *d})
	}
	if (d.Is("set-var") || d.Is("set-var-fmt")) && len(d.Words) > 1 { // of a global section
		if scope, name, ok := strings.Cut(d.Words[1], "."); ok {
			all = append(all, occurrence{scope: scope, name: name, set: true, at: *d})
		}
	}
	return all
}

func variablesInAll(lines []syntax.Directive) []occurrence {
	var all []occurrence
	for _, d := range lines {
		all = append(all, variablesIn(&d)...)
	}
	return all
}

// reads returns the occurrences, and for each rule that names an ACL, the variables that
// the ACL reads.
func (c *checker) reads() []occurrence {
	all := slices.Clone(c.occurrences)
	for _, s := range c.cfg.Sections {
		for i := range s.Lines {
			for _, acl := range namedIn(s.Lines[i], s.All()) {
				for _, m := range variablesIn(&acl) {
					m.at, m.in, m.line = s.Lines[i], s, i
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// findOccurrences returns all variables in haproxy.cfg and in the engine's SPOE file.
func (c *checker) findOccurrences() []occurrence {
	var all []occurrence
	for _, s := range c.cfg.Sections {
		for i := range s.Lines {
			for _, m := range variablesIn(&s.Lines[i]) {
				m.in, m.line = s, i
				all = append(all, m)
			}
		}
	}
	for _, m := range c.engine.Messages {
		all = append(all, variablesInAll(slices.Concat(m.ACLs, m.ArgLines(), []syntax.Directive{m.EventAt}))...)
	}
	return all
}
