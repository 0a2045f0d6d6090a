package haproxy

import (
	"fmt"
	"slices"
	"strings"
)

// checkOrder tells which variables a message's condition or arguments read
// before a rule sets them.
func (c *checker) checkOrder(m *spoeMessage) {
	for _, s := range c.sendings(m) {
		acls := m.acls
		if s.rule >= 0 {
			acls = s.proxy.lines
		}
		for _, v := range mentionedIn(append(namedIn(s.at, acls), s.at)) {
			// What an earlier request has left is what such a condition is for: one
			// question a session, a switch for all of them.
			if v.read && v.scope != "proc" && v.scope != "sess" {
				c.checkRead(m, s, v, "Its condition does not see the variable: the message is sent, or not, as if it were not set.")
			}
		}
		for _, v := range mentionedIn(m.argLines()) {
			switch {
			case !v.read || v.scope == "proc":
			case v.scope == "sess":
				c.checkRead(m, s, v, "HAProxy sends what was set for an earlier request of the session, and NULL in the first one.")
			default:
				c.checkRead(m, s, v, "HAProxy sends NULL for the argument.")
			}
		}
	}
}

// namedIn returns those of these lines that are the ACLs of a condition.
func namedIn(condition directive, lines []directive) (acls []directive) {
	i := slices.IndexFunc(condition.words, func(w string) bool { return w == "if" || w == "unless" })
	if i < 0 {
		return nil
	}
	for _, d := range lines {
		if d.is("acl") && slices.ContainsFunc(condition.words[i:], func(w string) bool { return strings.TrimLeft(w, "!") == name(d) }) {
			acls = append(acls, d)
		}
	}
	return acls
}

// checkRead tells whether all that set a variable come after it is read.
func (c *checker) checkRead(m *spoeMessage, s sending, v mention, effect string) {
	if c.setByAgents(v) {
		return
	}
	var later *mention
	for _, o := range c.mentions {
		switch {
		case !o.set || o.scope != v.scope || o.name != v.name || o.in != nil && elsewhere(s.proxy, o.in):
		case o.in == nil || !after(s, o): // one in the SPOE file is a message's
			return
		case later == nil:
			later = &o
		}
	}
	if later == nil {
		return
	}
	how := fmt.Sprintf("on %s, which comes before the rules", m.event)
	if s.rule >= 0 {
		how = "by a rule that comes earlier"
	}
	c.find(VariableSetLater, v.at,
		fmt.Sprintf("the message %q reads %s.%s, and is sent %s; it is set later, at %s:%d", m.name, v.scope, v.name, how, later.at.file, later.at.line),
		effect,
		"Send the message by a rule behind that one (a group, and \"http-request send-spoe-group\"), or set the variable earlier, such as by a tcp-request rule.")
}

// elsewhere tells whether a section's rules are for requests that another one's do
// not meet: each request has one frontend and one backend.
func elsewhere(proxy, in *section) bool {
	front := func(s *section) bool { return s.kind == "frontend" || s.kind == "listen" }
	return proxy != in && (front(proxy) && front(in) || proxy.kind == "backend" && in.kind == "backend")
}

// after tells whether a rule comes after a sending.
func after(s sending, rule mention) bool {
	at := ruleStage(rule.in, &rule.at)
	if at != s.stage || s.rule < 0 || rule.in != s.proxy {
		return at > s.stage
	}
	return rule.line > s.rule
}

// setByAgents tells whether an engine's agent may set a variable: of those, the
// order is not looked at.
func (c *checker) setByAgents(v mention) bool {
	own := func(o *checker) bool { return strings.HasPrefix(v.name, o.engine.prefix+".") }
	return own(c) || slices.ContainsFunc(c.others, own)
}
