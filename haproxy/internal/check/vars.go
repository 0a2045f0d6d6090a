package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy/internal/model"
)

// settable is a variable that the agent sets.
type settable struct {
	model.Var
	by   string
	sent bool // the message that sets it
}

// checkVars compares the variables that the agent sets with the variables that the
// configuration knows and reads.
func (c *checker) checkVars() {
	var all []settable
	sent := false
	for _, m := range c.agent.Messages {
		s := c.engine.Message(m.Name)
		called := s != nil && len(c.sendings(s)) > 0
		sent = sent || called
		for _, v := range m.Vars {
			all = append(all, settable{v, fmt.Sprintf("the handler of %q", m.Name), called})
		}
	}
	if scope, name, ok := strings.Cut(c.agent.FailureVar, "."); ok {
		all = append(all, settable{model.Var{Scope: scope, Name: name}, "a handler that fails", sent})
	}
	misread := map[string]bool{}
	if c.knowsVars() {
		own := slices.Clone(all)
		for _, name := range c.engine.OwnVars {
			own = append(own, settable{model.Var{Scope: "txn", Name: name}, "HAProxy", true})
		}
		misread = c.checkReads(own)
	}
	var long []string
	for _, name := range c.engine.OwnVars {
		if full := c.engine.FullName("txn", name); len(full) > codec.MaxVarName {
			long = append(long, full)
		}
	}
	for _, v := range all {
		switch full := c.engine.FullName(v.Scope, v.Beginning()); {
		case !v.sent:
		case len(full) > codec.MaxVarName:
			long = append(long, full)
		case !misread[v.Name]: // or its scope is wrong, and another finding says so
			c.checkKnown(v)
		}
	}
	if len(long) > 0 {
		c.find(VariableTooLong, c.engine.PrefixAt,
			fmt.Sprintf("with scope and prefix these names have more than %[2]d bytes: %[1]s", strings.Join(long, ", "), codec.MaxVarName),
			"HAProxy ignores the actions, and still logs st=0.",
			"Shorten \"option var-prefix\", or the variables' names.")
	}
}

// knowsVars reports whether all variables with the engine's prefix are known: no raw
// handler and no other engine's agent sets one.
func (c *checker) knowsVars() bool {
	return !c.agent.Any && !slices.ContainsFunc(c.agent.Messages, func(m model.Message) bool { return m.AnyVars }) &&
		!slices.ContainsFunc(c.others, func(o *checker) bool { return o.engine.Prefix == c.engine.Prefix })
}

// checkKnown reports whether the configuration knows a variable that the agent sets.
func (c *checker) checkKnown(v settable) {
	known := func(m occurrence) bool {
		name, own := strings.CutPrefix(m.name, c.engine.Prefix+".")
		return own && v.Sets(m.scope, name)
	}
	if c.engine.Force || slices.ContainsFunc(c.engine.Registered, func(name string) bool { return v.Sets(v.Scope, name) }) || slices.ContainsFunc(c.occurrences, known) {
		return
	}
	if v.Scope != "proc" && c.cfg.LoadsLua() {
		return // a script may read it
	}
	effect := "HAProxy before 2.5 does not set it. Later versions do, but no rule and no log line reads it."
	if v.Scope == "proc" {
		effect = "HAProxy ignores the action, and still logs st=0."
	}
	fix := fmt.Sprintf("Write \"register-var-names %s\" into the agent section, or use the variable in a rule.", v.Name)
	if v.Pattern {
		fix = "Use the variables in rules by their full names; or write \"option force-set-var\" into the agent section."
	}
	c.find(VariableUnknown, c.engine.Head,
		fmt.Sprintf("%[2]s sets the variable %[1]s, which the configuration neither registers nor uses", c.engine.FullName(v.Scope, v.Name), v.by),
		effect, fix)
}

const neverThere = "It is never set: an \"if\" on it never matches, an \"unless\" always does, and a header or log field with it is empty."

// effectOf returns the effect of a line that reads a variable that is never set.
func effectOf(m occurrence) string {
	d := m.at
	rule := strings.Join(d.Words[:min(2, len(d.Words))], " ")
	test := regexp.MustCompile(`(!?)\{ *var\(` + regexp.QuoteMeta(m.scope+"."+m.name) + `\)`).FindStringSubmatch(d.Text())
	i := slices.IndexFunc(d.Words, func(w string) bool { return w == "if" || w == "unless" })
	switch {
	case test == nil || i < 0 || m.in == nil || strings.Contains(d.Text(), "||") || slices.Contains(d.Words, "or") || strings.Count(d.Text(), "{ ") > 1:
		return neverThere
	case (d.Words[i] == "unless") != (test[1] == "!"):
		return fmt.Sprintf("It is never set: this %q applies to every request.", rule)
	default:
		return fmt.Sprintf("It is never set: this %q applies to no request.", rule)
	}
}

// prefixed returns the agent's variable that a line names without its prefix, or with
// an unknown prefix; or nil.
func (c *checker) prefixed(m occurrence, all []settable) *settable {
	i := slices.IndexFunc(all, func(v settable) bool {
		return !v.Pattern && (m.name == v.Name || strings.HasSuffix(m.name, "."+v.Name))
	})
	if i < 0 || c.setByAgents(m) || c.cfg.LoadsLua() || c.setByRule(m) {
		return nil
	}
	return &all[i]
}

// setByRule reports whether a rule sets a variable, anywhere.
func (c *checker) setByRule(m occurrence) bool {
	return slices.ContainsFunc(c.occurrences, func(o occurrence) bool { return o.set && o.scope == m.scope && o.name == m.name })
}

// checkReads finds variables of the agent that are read but never set, and returns
// their names.
func (c *checker) checkReads(all []settable) (misread map[string]bool) {
	misread = map[string]bool{}
	reported := map[string]bool{}
	for _, m := range c.occurrences {
		name, ok := strings.CutPrefix(m.name, c.engine.Prefix+".")
		full := m.scope + "." + m.name
		if !m.read || reported[full] {
			continue
		}
		if v := c.prefixed(m, all); !ok && v != nil {
			reported[full] = true
			c.find(VariableNeverSet, m.at,
				fmt.Sprintf("the variable %s is read, but never set", full), effectOf(m),
				fmt.Sprintf("%s sets %s: is that the one?", strings.ToUpper(v.by[:1])+v.by[1:], c.engine.FullName(v.Scope, v.Name)))
		}
		if !ok || m.scope == "txn" && slices.Contains(c.engine.OwnVars, name) ||
			slices.ContainsFunc(all, func(v settable) bool { return v.Sets(m.scope, name) }) || c.setByRule(m) {
			continue
		}
		reported[full], misread[name] = true, true
		hint := ""
		for _, v := range all {
			if v.Name == name {
				hint = fmt.Sprintf(" %s sets %s: is one of the two scopes wrong?", strings.ToUpper(v.by[:1])+v.by[1:], c.engine.FullName(v.Scope, v.Name))
			}
		}
		c.find(VariableNeverSet, m.at,
			fmt.Sprintf("the variable %s is read, but neither the agent nor a rule sets it", full),
			effectOf(m),
			"Correct its name, or set it in a handler."+hint)
	}
	return misread
}
