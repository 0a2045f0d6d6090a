package write

import (
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

func writeSPOE(engines []engine) string {
	var t text
	for i, e := range engines {
		c, a := e.config, e.agent
		if i == 0 {
			t.comment("", "The messages that HAProxy sends to the agents, and the variables that it takes from their answers. Loaded by "+
				"\"filter spoe engine "+c.Engine+" config "+c.SPOEFile+"\".")
			t.comment("", "The agent wrote this file (-print-config=spoe): change the agent, and write it anew.")
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
		t.comment("    ", "Sent on events, see \"event\" below.")
		t.list("    messages", names)
	}
	if names := a.Groups(); len(names) > 0 {
		t.line()
		t.comment("    ", "Sent by rules: \""+ruleSets[a.Message(a.Members(names[0])[0]).On()].name+" send-spoe-group "+c.Engine+" "+names[0]+"\".")
		t.list("    groups", names)
	}
	t.line()
	t.comment("    ", "The prefix is behind the scope in the names of all variables: txn."+c.Prefix+"."+errorVar+
		". Registered are those that the agent sets: a variable that HAProxy's configuration does not know "+
		"is not set in the scope proc, nor in any scope before HAProxy 2.5.")
	t.line("    option var-prefix", c.Prefix)
	for names := range slices.Chunk(varNames(&a), 6) {
		t.line("    register-var-names", strings.Join(names, " "))
	}
	t.line()
	t.comment("    ", "txn."+c.Prefix+"."+errorVar+" is set, to a number, where no answer came, and does not exist otherwise. txn."+
		c.Prefix+"."+processTimeVar+" is what the question cost, in ms.")
	t.line("    option set-on-error", errorVar)
	t.line("    option set-process-time", processTimeVar)
	t.line()
	t.comment("    ", "Only what went wrong is logged: \"SPOE: ["+c.Engine+"] ... st=257\"; \"spoectl explain 257\" says what that means.")
	t.line("    log global")
	t.line("    option dontlog-normal")
	t.line()
	t.comment("    ", "How long a request waits for its answer at most. "+deadlines(&a))
	t.line("    timeout processing", syntax.FormatTime(c.Processing))
	if !c.muxed() {
		t.comment("    ", "For connections to the agent, up to HAProxy 3.0; later ones go by the backend's timeouts.")
		t.line("    timeout hello 2s")
		t.line("    timeout idle", syntax.FormatTime(idle(c.Processing)))
		t.line()
		t.comment("    ", "Up to HAProxy 3.0 a connection has up to 20 questions in flight, and one of them may cross the goodbye of "+
			"an agent that is being restarted. Take the '#' away to rule that out, for some more connections; later ones ignore it.")
		t.line("    #max-waiting-frames 1")
	}
}

// deadlines says how long the agent itself may take.
func deadlines(a *model.Agent) string {
	longest := time.Duration(0)
	for _, m := range a.Messages {
		longest = max(longest, time.Duration(m.Deadline))
	}
	if longest == 0 {
		return "The agent sets itself no deadline."
	}
	return "The agent's own deadline is shorter: " + syntax.FormatTime(longest) + "."
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
				continue // HAProxy registers whole names; rules that read one make it known
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
				about += ". WARNING: NULL for " + when + "; these get no verdict. Without \"required\" the handler is called"
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
