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
	sent        bool // the message that has it set is sent
}

// checkVars compares the variables that the agent sets with those that the
// configuration knows and reads.
func (c *checker) checkVars() {
	var all []settable
	complete := !c.agent.Any // what the agent sets is known
	sent := false
	for _, m := range c.agent.Messages {
		s := c.engine.message(m.Name)
		called := s != nil && len(c.sendings(s)) > 0
		sent = sent || called
		complete = complete && !m.AnyVars
		for _, v := range m.Vars {
			all = append(all, settable{v.Scope, v.Name, fmt.Sprintf("the handler of %q", m.Name), called})
		}
	}
	if scope, name, ok := strings.Cut(c.agent.FailureVar, "."); ok {
		all = append(all, settable{scope, name, "a handler that fails", sent})
	}
	mentions := c.mentions()
	misread := map[string]bool{}
	if complete {
		misread = c.checkReads(all, mentions)
	}
	var long []string
	for _, v := range all {
		switch full := v.full(c.engine.prefix); {
		case !v.sent:
		case len(full) > maxVarName:
			long = append(long, full)
		case !misread[v.name]: // or its scope is wrong, which has been told
			c.checkKnown(v, mentions)
		}
	}
	if len(long) > 0 {
		c.find(VariableTooLong, c.engine.prefixAt,
			fmt.Sprintf("with their scope and the prefix %s have more than %d bytes", strings.Join(long, ", "), maxVarName),
			"HAProxy does not set them: the actions are ignored, and still logged as st=0.",
			"Shorten \"option var-prefix\", or the variables' names.")
	}
}

func (v *settable) full(prefix string) string { return v.scope + "." + prefix + "." + v.name }

// checkKnown tells whether the configuration knows a variable that the agent sets.
func (c *checker) checkKnown(v settable, mentions []mention) {
	if c.engine.force || slices.Contains(c.engine.registered, v.name) ||
		slices.ContainsFunc(mentions, func(m mention) bool { return m.scope+"."+m.name == v.full(c.engine.prefix) }) {
		return
	}
	effect := "HAProxy before 2.5 does not set it. Later ones do, but no rule and no log line reads it."
	if v.scope == "proc" {
		effect = "HAProxy does not set it: the action is ignored, and still logged as st=0."
	}
	c.find(VariableUnknown, c.engine.head,
		fmt.Sprintf("the configuration does not know the variable %s, which %s sets", v.full(c.engine.prefix), v.by),
		effect, fmt.Sprintf("Write \"register-var-names %s\" into the agent section, or use the variable in a rule.", v.name))
}

// checkReads tells which variables of the agent's are read and never set, and
// returns their names.
func (c *checker) checkReads(all []settable, mentions []mention) (misread map[string]bool) {
	misread = map[string]bool{}
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
		told[full], misread[name] = true, true
		hint := ""
		for _, v := range all {
			if v.name == name {
				hint = fmt.Sprintf(" %s sets %s: is the scope wrong in one of the two?", strings.ToUpper(v.by[:1])+v.by[1:], v.full(c.engine.prefix))
			}
		}
		c.find(VariableNeverSet, m.at,
			fmt.Sprintf("the variable %s is read, and neither the agent nor a rule sets it", full),
			"It is never there: a condition on it never holds (an \"unless\" always), a header or log field with it is empty.",
			"Correct its name, or have a handler set it."+hint)
	}
	return misread
}
