package haproxy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// mention is a variable's name in the configuration.
type mention struct {
	scope, name string // with the prefix
	read, set   bool   // or neither: it is unset
	at          directive
}

// varName finds variables where a function has one for its argument: var(txn.x),
// set-var(txn.x), unset-var(txn.x).
var varName = regexp.MustCompile(`([a-z-]*var(?:-fmt)?)\(\s*(proc|sess|txn|req|res)\.([A-Za-z0-9_.]+)`)

// mentioned returns the variables in a line.
func mentioned(d *directive) []mention {
	var all []mention
	for _, m := range varName.FindAllStringSubmatch(d.text(), -1) {
		all = append(all, mention{scope: m[2], name: m[3], read: m[1] == "var", set: strings.HasPrefix(m[1], "set-var"), at: *d})
	}
	return all
}

// mentions returns all variables in haproxy.cfg and in the engine's SPOE file.
func (c *checker) mentions() []mention {
	var all []mention
	c.cfg.eachLine(func(_ *section, d *directive) { all = append(all, mentioned(d)...) })
	for _, m := range c.engine.messages {
		for _, d := range m.lines() {
			all = append(all, mentioned(&d)...)
		}
	}
	return all
}

// lines returns the lines of a message that can mention variables, each once.
func (m *spoeMessage) lines() []directive {
	lines := slices.Clone(m.acls)
	for _, a := range m.args {
		if len(lines) == 0 || lines[len(lines)-1].line != a.at.line {
			lines = append(lines, a.at)
		}
	}
	if m.event != "" {
		lines = append(lines, m.eventAt)
	}
	return lines
}

// settable is a variable that the agent sets.
type settable struct {
	scope, name string
	by          string
}

// checkVars compares the variables that the agent sets with those that the
// configuration knows and reads.
func (c *checker) checkVars() {
	var all []settable
	complete := !c.agent.Any // what the agent sets is known
	for _, m := range c.agent.Messages {
		if s := c.engine.message(m.Name); s == nil || len(c.sendings(s)) == 0 {
			continue
		}
		complete = complete && !m.AnyVars
		for _, v := range m.Vars {
			all = append(all, settable{v.Scope, v.Name, fmt.Sprintf("the handler of %q", m.Name)})
		}
	}
	if scope, name, ok := strings.Cut(c.agent.FailureVar, "."); ok && len(all) > 0 {
		all = append(all, settable{scope, name, "a handler that fails"})
	}
	mentions := c.mentions()
	for _, v := range all {
		c.checkVar(v, mentions)
	}
	if complete {
		c.checkReads(all, mentions)
	}
}

func (c *checker) checkVar(v settable, mentions []mention) {
	full := v.scope + "." + c.engine.prefix + "." + v.name
	if len(full) > maxVarName {
		c.find(VariableTooLong, c.engine.prefixAt,
			fmt.Sprintf("the variable %s, which %s sets, has %d bytes with its scope and prefix", full, v.by, len(full)),
			fmt.Sprintf("HAProxy takes %d at most: it drops the action, and all that follow it in the same answer, and still logs st=0.", maxVarName),
			"Shorten \"option var-prefix\", or the variable's name.")
		return
	}
	if c.engine.force || slices.Contains(c.engine.registered, v.name) {
		return
	}
	other := ""
	for _, m := range mentions {
		switch {
		case m.name != c.engine.prefix+"."+v.name:
		case m.scope == v.scope:
			return
		default:
			other = fmt.Sprintf(" The configuration has %s.%s: is the scope wrong in one of the two?", m.scope, m.name)
		}
	}
	effect := "HAProxy before 2.5 does not set it. Later ones do, but no rule and no log line reads it."
	if v.scope == "proc" {
		effect = "HAProxy does not set it: the action is ignored, and still logged as st=0."
	}
	c.find(VariableUnknown, c.engine.head,
		fmt.Sprintf("the configuration does not know the variable %s, which %s sets", full, v.by),
		effect, fmt.Sprintf("Write \"register-var-names %s\" into the agent section, or use the variable in a rule.%s", v.name, other))
}

// checkReads tells which variables of the agent's are read and never set.
func (c *checker) checkReads(all []settable, mentions []mention) {
	told := map[string]bool{}
	for _, m := range mentions {
		name, ok := strings.CutPrefix(m.name, c.engine.prefix+".")
		full := m.scope + "." + m.name
		if !ok || !m.read || told[full] || m.scope == "txn" && slices.Contains(c.engine.ownVars, name) {
			continue
		}
		if slices.ContainsFunc(all, func(v settable) bool { return v.scope == m.scope && v.name == name }) ||
			slices.ContainsFunc(mentions, func(o mention) bool { return o.set && o.scope == m.scope && o.name == m.name }) {
			continue
		}
		told[full] = true
		hint := ""
		for _, v := range all {
			if v.name == name {
				hint = fmt.Sprintf(" %s sets %s.%s.%s: is the scope wrong in one of the two?", capital(v.by), v.scope, c.engine.prefix, v.name)
			}
		}
		c.find(VariableNeverSet, m.at,
			fmt.Sprintf("the variable %s is read, and neither the agent nor a rule sets it", full),
			"It is never there: a condition on it never holds (an \"unless\" always), a header or log field with it is empty.",
			"Correct its name, or have a handler set it."+hint)
	}
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
