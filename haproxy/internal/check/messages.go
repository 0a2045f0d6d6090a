package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// sends reports whether the engine sends a message of that name.
func (c *checker) sends(name string) bool {
	m := c.engine.Message(name)
	return m != nil && len(c.sendings(m)) > 0
}

// checkMessages compares the messages that are sent with the messages that the agent
// handles.
func (c *checker) checkMessages() {
	e := c.engine
	for _, m := range e.Messages {
		g, at := e.GroupOf(m.Name)
		listed := syntax.Mentions(e.Listed, m.Name)
		sent := len(c.sendings(m)) > 0
		if c.agent.Message(m.Name) == nil && !c.agent.Any && sent {
			c.find(MessageUnhandled, m.Head,
				fmt.Sprintf("the agent does not handle the message %q", m.Name),
				"Each request waits for an answer that sets no variable.",
				fmt.Sprintf("Register a handler for %q, or remove the message from this file.%s", m.Name, c.handles()))
		}
		if m.Event != "" && listed && g != nil && syntax.Mentions(e.ListedGroups, g.Name) && len(c.rules(g)) > 0 && c.occurs(m) {
			c.find(EventAndGroup, at,
				fmt.Sprintf("the message %q is in the group %q, which a rule sends, and is sent on %s as well", m.Name, g.Name, m.Event),
				"HAProxy sends it twice for each request, and the request waits twice.",
				fmt.Sprintf("Remove it from \"messages\" in the agent section, so that only the rule sends it; or remove it from the group %q.", g.Name))
		}
	}
	for _, m := range c.agent.Messages {
		c.checkCalled(m)
		c.checkEngine(m)
	}
}

// checkEngine finds a message whose route names another engine than the one that sends
// it. Before HAProxy 2.5, Write gives groups their own engine.
func (c *checker) checkEngine(known model.Message) {
	if own := strings.TrimSuffix(c.engine.ID(), "-groups"); known.Engine == "" || known.Engine == own || known.Engine == c.engine.ID() || !c.sends(known.Name) {
		return
	}
	c.find(EngineDiffers, c.engine.Message(known.Name).Head,
		fmt.Sprintf("the engine %q sends the message %q, and its route%s names the engine %q", c.engine.ID(), known.Name, known.Where(), known.Engine),
		fmt.Sprintf("The message has the prefix and the \"timeout processing\" of the engine %q: its variables are called %s.", c.engine.ID(), c.engine.FullName("txn", "…")),
		fmt.Sprintf("Move the message to the section [%s] of the SPOE file, or remove .Engine(%q) from the route.", known.Engine, known.Engine))
}

// occurs reports whether the event of a message occurs for one of the filters.
func (c *checker) occurs(m *syntax.SPOEMessage) bool {
	return slices.ContainsFunc(c.filters, func(f syntax.Filter) bool {
		return c.cfg.EventStage(m.Event, f.Proxy) != syntax.StageUnknown
	})
}

// checkCalled finds messages that the agent handles and HAProxy never sends.
func (c *checker) checkCalled(known model.Message) {
	e := c.engine
	m := e.Message(known.Name)
	uncalled := func(at syntax.Directive, why, fix string) {
		c.find(MessageUncalled, at, why,
			fmt.Sprintf("The handler of %q%s is never called, without an error.", known.Name, known.Where()), fix)
	}
	if slices.ContainsFunc(c.others, func(o *checker) bool { return o.sends(known.Name) }) {
		return
	}
	if m == nil && slices.ContainsFunc(c.siblings, func(o *checker) bool { return !c.first || o.engine.Message(known.Name) != nil }) {
		return // reported for another engine that asks the agent
	}
	if m == nil {
		uncalled(e.Head, fmt.Sprintf("the agent handles the message %q, which no section defines", known.Name),
			fmt.Sprintf("Write a section \"spoe-message %s\", and name it in \"messages\" or in a group.", known.Name))
		return
	}
	if len(c.sendings(m)) > 0 {
		return
	}
	g, at := e.GroupOf(m.Name)
	switch {
	case g != nil && !syntax.Mentions(e.ListedGroups, g.Name):
		uncalled(at, fmt.Sprintf("the message %q is in the group %q, which the agent section does not name in \"groups\"", m.Name, g.Name),
			fmt.Sprintf("Write \"groups %s\" into the agent section.", g.Name))
	case g != nil:
		uncalled(g.Head, fmt.Sprintf("no rule sends the group %q", g.Name),
			fmt.Sprintf("Write \"http-request send-spoe-group %s %s\" into the frontend.", e.ID(), g.Name))
	case m.Event == "":
		uncalled(m.Head, fmt.Sprintf("the message %q has no event and is in no group", m.Name),
			"Write \"event on-frontend-http-request\" or the like into its section.")
	case syntax.Mentions(e.Listed, m.Name):
		f := c.filters[0]
		uncalled(f.At, fmt.Sprintf("the message %q is sent on %s, which does not occur in %s %s of mode %s", m.Name, m.Event, f.Proxy.Kind, f.Proxy.Name, f.Proxy.Mode()),
			"Load the engine in a frontend that has this event, or send the message on another event.")
	default:
		uncalled(m.Head, fmt.Sprintf("the agent section does not name the message %q", m.Name),
			fmt.Sprintf("Write \"messages %s\" into the agent section.", m.Name))
	}
}

// handles lists the agent's messages, for a text.
func (c *checker) handles() string {
	var names []string
	for _, m := range c.agent.Messages {
		names = append(names, m.Name)
	}
	return sentence("It handles", names)
}

// maxNames is the maximum number of names that a finding lists.
const maxNames = 16

// sentence returns " It handles a, b.", or "" if there is nothing or too much to list.
func sentence(begin string, names []string) string {
	if len(names) == 0 || len(names) > maxNames {
		return ""
	}
	return " " + begin + " " + strings.Join(names, ", ") + "."
}
