package write

import (
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

func writeSPOE(engines []engine) string {
	var t text
	for i, e := range engines {
		c, a := e.config, e.agent
		if i == 0 {
			t.comment("", "The messages that HAProxy sends to the agents, and the variables that their answers set. HAProxy loads this file by "+
				"\"filter spoe engine "+c.Engine+" config "+c.SPOEFile+"\".")
			t.comment("", "The agent's program wrote this file (-print-config=spoe). To change it, change the program.")
		}
		t.line()
		t.line("[" + c.Engine + "]")
		t.line()
		c.writeAgent(&t, a)
		for _, m := range a.Messages {
			t.line()
			c.writeMessage(&t, m)
		}
		for _, g := range a.Groups() {
			t.line()
			t.line("spoe-group", g)
			t.list("    messages", a.Members(g))
		}
	}
	return t.String()
}

func (c *Config) writeAgent(t *text, a model.Agent) {
	t.line("spoe-agent", c.Engine)
	t.comment("    ", "The backend with the agents.")
	t.line("    use-backend", c.Backend)
	if names := a.Members(""); len(names) > 0 {
		t.line()
		t.comment("    ", "Messages that HAProxy sends on events; see \"event\" below.")
		t.list("    messages", names)
	}
	if names := a.Groups(); len(names) > 0 {
		t.line()
		t.comment("    ", "Messages that rules send: \""+ruleSets[a.Message(a.Members(names[0])[0]).On()].name+" send-spoe-group "+c.Engine+" "+names[0]+"\".")
		t.list("    groups", names)
	}
	t.line()
	t.comment("    ", "The names of all variables have this prefix after the scope: txn."+c.Prefix+"."+errorVar+
		". HAProxy sets a variable of the scope proc, and before HAProxy 2.5 any variable, only if its name is registered "+
		"or used in its configuration.")
	t.line("    option var-prefix", c.Prefix)
	for names := range slices.Chunk(varNames(&a), 6) {
		t.line("    register-var-names", strings.Join(names, " "))
	}
	t.line()
	t.comment("    ", "txn."+c.Prefix+"."+errorVar+" is a number if there was no answer, and is not set otherwise. txn."+
		c.Prefix+"."+processTimeVar+" is the time that the request waited for the answer, in ms.")
	t.line("    option set-on-error", errorVar)
	t.line("    option set-process-time", processTimeVar)
	t.line()
	t.comment("    ", "Logs failures only: \"SPOE: ["+c.Engine+"] ... st=257\". \"spoectl explain 257\" explains the number.")
	t.line("    log global")
	t.line("    option dontlog-normal")
	t.line()
	t.comment("    ", "The longest time that a request waits for its answer. "+deadlines(&a))
	t.line("    timeout processing", syntax.FormatTime(c.Processing))
	if !c.muxed() {
		t.comment("    ", "For connections to the agent. HAProxy 3.1 and later use the backend's timeouts instead.")
		t.line("    timeout hello 2s")
		t.line("    timeout idle", syntax.FormatTime(idle(c.Processing)))
		t.line()
		t.comment("    ", "Up to HAProxy 3.0 a connection has up to 20 messages in flight. While an agent restarts, one of them may be lost. "+
			"Remove the '#' to prevent that, at the price of more connections. HAProxy 3.1 and later ignore the line.")
		t.line("    #max-waiting-frames 1")
	}
}

// deadlines returns the text about the agent's own deadlines.
func deadlines(a *model.Agent) string {
	if model.LongestDeadline(a) == 0 {
		return "The agent has no deadline of its own."
	}
	return "The agent's own deadline is shorter: " + syntax.FormatTime(model.LongestDeadline(a)) + "."
}

// varNames returns the names that are registered, each once, without their scopes.
func varNames(a *model.Agent) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, m := range a.Messages {
		for _, v := range m.Vars {
			if v.Pattern {
				continue // HAProxy registers only whole names; it learns these from the rules that read them
			}
			add(v.Name)
		}
	}
	if _, name, ok := strings.Cut(a.FailureVar, "."); ok {
		add(name)
	}
	return names
}

func (c *Config) writeMessage(t *text, m model.Message) {
	args := m.InOrder()
	for _, a := range args {
		if a.Go == "" {
			continue
		}
		about := a.Label() + ": " + a.Go
		if a.Required {
			about += ", required"
			if when := samples.NullFor(a.Fetch); when != "" && a.Fetch != "unique-id" { // whose line the frontend has
				about += ". WARNING: NULL for " + when + "; such a request gets no answer. Without \"required\" the handler is called"
			}
		}
		t.comment("", about)
	}
	for _, v := range m.Vars {
		about := "sets " + c.fullName(v.Scope, v.Name)
		if len(v.Types) == 1 {
			about += ": " + v.Types[0]
		}
		if !v.Always {
			about += ", not always"
		}
		t.comment("", about)
	}
	t.line("spoe-message", m.Name)
	if len(args) > 0 {
		sent := make([]string, len(args))
		for i, a := range args {
			sent[i] = a.Fetch
			if a.Name != "" {
				sent[i] = a.Name + "=" + a.Fetch
			}
		}
		t.list("    args", sent)
	}
	if m.Event != "" {
		t.line("    event", m.Event, m.Condition)
	}
}
