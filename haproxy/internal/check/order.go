package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkOrder finds variables that a message's condition or arguments read
// before a rule sets them.
func (c *checker) checkOrder(m *syntax.SPOEMessage) {
	for _, s := range c.sendings(m) {
		conditions := append(namedIn(m.EventAt, m.ACLs), m.EventAt)
		if s.rule >= 0 { // the rule's condition, in addition to the message's
			conditions = append(append(conditions, namedIn(s.at, s.proxy.Lines)...), s.at)
		}
		for _, v := range variablesInAll(conditions) {
			// Such a condition reads an earlier request's variable on purpose: to ask
			// once in a session, or to turn the agent off.
			if v.read && v.scope != "proc" && v.scope != "sess" {
				c.checkRead(m, s, v, "Its condition is evaluated as if the variable were not set.")
			}
		}
		for _, v := range variablesInAll(m.ArgLines()) {
			switch {
			case !v.read || v.scope == "proc":
			case v.scope == "sess":
				c.checkRead(m, s, v, "HAProxy sends the value of an earlier request of the session, and NULL for the first request.")
			default:
				c.checkRead(m, s, v, "HAProxy sends NULL for the argument.")
			}
		}
	}
}

// namedIn returns the lines that define the ACLs of a condition.
func namedIn(condition syntax.Directive, lines []syntax.Directive) (acls []syntax.Directive) {
	i := slices.IndexFunc(condition.Words, func(w string) bool { return w == "if" || w == "unless" })
	if i < 0 {
		return nil
	}
	for _, d := range lines {
		if d.Is("acl") && slices.ContainsFunc(condition.Words[i:], func(w string) bool { return strings.TrimLeft(w, "!") == d.Second() }) {
			acls = append(acls, d)
		}
	}
	return acls
}

// checkRead finds a variable that is read before any line sets it.
func (c *checker) checkRead(m *syntax.SPOEMessage, s sending, v occurrence, effect string) {
	if c.setByAgents(v) {
		c.checkTogether(m, v, effect)
		return
	}
	var later *occurrence
	for _, o := range c.occurrences {
		switch {
		case !o.set || o.scope != v.scope || o.name != v.name || o.in != nil && elsewhere(s.proxy, o.in):
		case o.in == nil || !s.place().before(o.place()): // in the SPOE file, the condition is a message's
			return
		case later == nil:
			later = &o
		}
	}
	if later == nil {
		return
	}
	how := fmt.Sprintf("on %s, which comes before the rules", m.Event)
	if s.rule >= 0 {
		how = "by an earlier rule"
	}
	c.find(VariableSetLater, v.at,
		fmt.Sprintf("the message %q reads %s.%s, and is sent %s; it is set later, at %s:%d", m.Name, v.scope, v.name, how, later.at.File, later.at.Line),
		effect,
		"Put the message into a group, and \"http-request send-spoe-group\" after that rule; or set the variable earlier, such as by a tcp-request rule.")
}

// checkTogether finds a variable that is set only by answers that come together with
// the message that reads it, or later: HAProxy sends the messages of an event or a
// group together.
func (c *checker) checkTogether(m *syntax.SPOEMessage, v occurrence, effect string) {
	name, own := strings.CutPrefix(v.name, c.engine.Prefix+".")
	if !own || v.scope == "sess" || v.scope == "proc" || !c.knowsVars() || c.setByRule(v) || c.cfg.LoadsLua() || v.scope+"."+name == c.agent.FailureVar {
		return
	}
	by := ""
	for setter, at := range c.setters(v.scope, name) {
		if slices.ContainsFunc(c.sendings(m), func(s sending) bool { return at.place().before(s.place()) }) {
			return
		}
		if by == "" || setter != m.Name {
			by = setter
		}
	}
	if by == "" || slices.ContainsFunc(c.others, func(o *checker) bool { return o.sends(by) }) {
		return
	}
	c.find(VariableSetLater, v.at,
		fmt.Sprintf("the message %q reads %s.%s, which the answer to %q sets, and %[4]q is not sent earlier", m.Name, v.scope, v.name, by), effect,
		fmt.Sprintf("Put %q into a group, and send it by a rule after the rule for %q. HAProxy sends the messages of an event, or of a group, together.", m.Name, by))
}

// elsewhere reports whether no request passes the rules of both sections: each request
// has one frontend and one backend.
func elsewhere(proxy, in *syntax.Section) bool {
	front := func(s *syntax.Section) bool { return s.Kind == "frontend" || s.Kind == "listen" }
	return proxy != in && (front(proxy) && front(in) || proxy.Kind == "backend" && in.Kind == "backend")
}

// setByAgents reports whether an agent may set a variable; its order is then not
// checked. It knows the variables of this agent, and only the prefixes of other agents.
func (c *checker) setByAgents(v occurrence) bool {
	if name, own := strings.CutPrefix(v.name, c.engine.Prefix+"."); own {
		return !c.knowsVars() || c.setsItself(v.scope, name)
	}
	return slices.ContainsFunc(c.others, func(o *checker) bool { return strings.HasPrefix(v.name, o.engine.Prefix+".") })
}

// setsItself reports whether this agent, or HAProxy for its engine, sets a variable.
func (c *checker) setsItself(scope, name string) bool {
	return scope == "txn" && slices.Contains(c.engine.OwnVars, name) || scope+"."+name == c.agent.FailureVar ||
		slices.ContainsFunc(c.agent.Messages, func(m model.Message) bool { return model.SetsVar(&m, scope, name) })
}
