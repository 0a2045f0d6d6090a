package write

import (
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/router"
)

// writeFrontend writes the frontend's lines for all engines. Rules of one kind are
// together, in the order in which HAProxy evaluates the kinds.
func writeFrontend(engines []engine) string {
	var t text
	var names []string
	for _, e := range engines {
		if e.inFrontend() {
			names = append(names, e.config.Engine)
		}
	}
	if len(names) == 0 {
		return ""
	}
	t.comment("    ", "Asks the agents of "+strings.Join(names, ", ")+". Put these lines into the frontend, before its own rules. The agent's program wrote them (-print-config=frontend).")
	writeNeeds(&t, engines)
	for _, e := range engines {
		if e.inFrontend() {
			t.line("    filter spoe engine", e.config.Engine, "config", e.config.SPOEFile)
		}
	}
	c := engines[0].config
	c.writeStrip(&t)
	writeStages(&t, engines, []router.Event{router.OnFrontendTCPRequest, router.OnFrontendHTTPRequest})
	c.writeRules(&t)
	c.writeHeaders(&t)
	writeStages(&t, engines, []router.Event{router.OnHTTPResponse})
	c.writeUsePages(&t)
	return t.String()
}

// writeSite writes the lines for the site's backends: rules for messages that are sent
// after the frontend's rules.
func writeSite(engines []engine) string {
	var t text
	writeStages(&t, engines, []router.Event{router.OnBackendTCPRequest, router.OnBackendHTTPRequest, router.OnTCPResponse})
	rules := t.String()
	t = text{}
	for _, e := range engines {
		if !e.inFrontend() {
			t.line("    filter spoe engine", e.config.Engine, "config", e.config.SPOEFile)
		}
	}
	if rules == "" && t.Len() == 0 {
		return ""
	}
	filters := t.String()
	t = text{}
	t.comment("    ", "Put these lines into each backend of the site, before its own rules. The agent's program wrote them (-print-config=site).")
	return t.String() + filters + rules
}

// writeStages writes the rules of some stages, for all engines.
func writeStages(t *text, engines []engine, events []router.Event) {
	for _, stage := range events {
		for _, e := range engines {
			asked := slices.IndexFunc(stages(&e.agent), func(o router.Event) bool { return sameRules(o, stage) })
			e.config.writeGroups(t, e.agent, stage)
			if asked < 0 || !e.config.own.isLast() {
				continue
			}
			if vars := e.config.answers(e.agent, stage); len(vars) > 0 {
				t.line()
				t.comment("    ", "The answer, for rules that follow: "+strings.Join(vars, ", ")+".")
			}
			e.config.writeVerdicts(t, e.agent, stages(&e.agent)[asked])
		}
	}
}

// writeNeeds writes the lines that some samples need.
func writeNeeds(t *text, engines []engine) {
	if slices.ContainsFunc(engines, func(e engine) bool { return fetchesBody(&e.agent, "", "req.") }) {
		t.comment("    ", "Waits until the body is whole or the buffer is full, and then sends the message. "+
			"req.body_len is the length that has arrived; req.body_size is the length of the whole body, if HAProxy knows it.")
		t.line("    option http-buffer-request")
	}
	uniqueID := func(_ *model.Message, a *model.Arg) bool {
		return samples.Name(samples.Unquoted(a.Fetch)) == "unique-id"
	}
	if slices.ContainsFunc(engines, func(e engine) bool { return model.AnyArg(&e.agent, uniqueID) }) {
		t.comment("    ", "Without this line there is no unique-id. If the frontend has such a line already, keep that one.")
		t.line(`    unique-id-format %{+X}o\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid`)
	}
}

// answers are the variables that the messages of a stage set, for rules to read.
func (c *Config) answers(a model.Agent, e router.Event) []string {
	var vars []string
	for _, m := range a.Messages {
		for _, v := range m.Vars {
			if s := "var(" + c.fullName(v.Scope, v.Name) + ")"; sameRules(m.On(), e) && !slices.Contains(vars, s) {
				vars = append(vars, s)
			}
		}
	}
	return vars
}

// fetchesBody reports whether a message of a group, or any message for "", reads the
// body of a request ("req.") or a response ("res.").
func fetchesBody(a *model.Agent, group, side string) bool {
	return model.AnyArg(a, func(m *model.Message, arg *model.Arg) bool {
		return (group == "" || m.Group == group) && samples.FetchesBody(samples.Unquoted(arg.Fetch), side)
	})
}
