package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkComparisons finds tests of variables that never hold for a value of their type,
// and rules that refuse requests if a variable is set, where each answer sets it.
func (c *checker) checkComparisons() {
	if !c.knowsVars() {
		return
	}
	for _, s := range c.cfg.Sections {
		for _, d := range s.Lines {
			for i, w := range d.Words {
				v := c.tested(w)
				if v == nil || c.setByRule(occurrence{scope: v.Scope, name: c.engine.Prefix + "." + v.Name}) {
					continue
				}
				c.compare(s, d, d.Words[i:], v)
			}
		}
	}
}

// tested returns the variable whose sample is this word, or nil.
func (c *checker) tested(word string) *model.Var {
	full, ok := strings.CutPrefix(word, "var(")
	scope, name, dot := strings.Cut(strings.TrimSuffix(full, ")"), ".")
	name, own := strings.CutPrefix(name, c.engine.Prefix+".")
	if !ok || !dot || !own || !strings.HasSuffix(full, ")") {
		return nil
	}
	if scope == "txn" && slices.Contains(c.engine.OwnVars, name) {
		return &model.Var{Scope: scope, Name: name, Types: []string{"INT64"}}
	}
	var found *model.Var
	for i := range c.agent.Messages {
		for _, v := range c.agent.Messages[i].Vars {
			switch {
			case !v.Sets(scope, name):
			case found != nil && !slices.Equal(found.Types, v.Types):
				return nil
			default:
				found = &v
			}
		}
	}
	return found
}

// compare looks at a test of a variable; words begin with its sample.
func (c *checker) compare(in *syntax.Section, d syntax.Directive, words []string, v *model.Var) {
	if end := slices.Index(words, "}"); end >= 0 {
		words = words[:end]
	}
	method, values := "", []string(nil)
	if i := slices.Index(words, "-m"); i >= 0 && i+1 < len(words) {
		method, values = words[i+1], words[i+2:]
	}
	full := c.engine.FullName(v.Scope, v.Name)
	number := func(w string) bool { _, err := strconv.ParseInt(w, 10, 64); return err == nil }
	only := func(types ...string) bool {
		return len(v.Types) > 0 && !slices.ContainsFunc(v.Types, func(t string) bool { return !slices.Contains(types, t) })
	}
	never := func(effect, fix string) {
		c.find(VariableCompared, d, fmt.Sprintf("the variable %s, of type %s, is tested by %q", full, strings.Join(v.Types, " or "), strings.Join(words, " ")), effect, fix)
	}
	switch flagged := slices.ContainsFunc(values, func(w string) bool { return strings.HasPrefix(w, "-") && !number(w) }); {
	case method == "" || flagged && method != "found":
	case method == "str" && only("BOOL") && !slices.ContainsFunc(values, func(w string) bool { return w == "0" || w == "1" }):
		never("HAProxy writes true and false as 1 and 0: the test never matches.", "Write \"-m bool\".")
	case method == "str" && only("INT32", "UINT32", "INT64", "UINT64") && len(values) > 0 && !slices.ContainsFunc(values, number):
		never("The variable is a number: the test never matches.", "Write \"-m int\" and numbers.")
	case method == "found" && c.onlyFound(in, d, v):
		c.find(VariableCompared, d,
			fmt.Sprintf("this rule refuses a request if %s is found, and each answer sets it", full),
			"Each request that the agent answers is refused, whatever the value.",
			"Test its value, such as by \"-m bool\" or \"-m str\"; or let the handler set it only if the request must be refused (omitempty).")
	}
}

// onlyFound reports whether a rule refuses only because a variable is set, and each
// answer sets it.
func (c *checker) onlyFound(in *syntax.Section, d syntax.Directive, v *model.Var) bool {
	cond := condition(in, d)
	kind := 1
	if strings.HasPrefix(d.Words[0], "tcp-") {
		kind = 2
	}
	return v.Always && len(d.Words) > kind && slices.Contains(refusals, d.Words[kind]) &&
		cond == "if { var("+c.engine.FullName(v.Scope, v.Name)+") -m found }" && d.Words[kind] != "redirect"
}
