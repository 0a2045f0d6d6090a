package write

import (
	"slices"
	"strconv"

	"github.com/spoke-go/spoke/haproxy/internal/model"
)

// writeServers writes the agents' server lines, and the lines that choose among them.
func (c *Config) writeServers(t *text, engines []engine) {
	check := ""
	if c.AgentCheckPort > 0 && c.own.number == 0 {
		t.comment("    ", "An agent that is shutting down answers an agent-check with \"drain\", and HAProxy moves its connections away "+
			"before the agent closes one. The agent waits for that, so with a longer agent-inter its shutdown takes longer. Each check is a short connection.")
		check = "agent-check agent-port " + strconv.Itoa(c.AgentCheckPort) + " agent-inter 1s"
	}
	if c.Affinity != "" && c.muxed() {
		t.comment("    ", "Later messages of a request go to the agent that answered the first one, if it is up.")
		prefix := c.Prefix
		if e := setterOf(engines, c.Affinity); e != nil {
			prefix = e.config.Prefix
		}
		for i := range c.Agents {
			t.line("    use-server", serverName(i), "if { var(ptxn."+prefix+"."+c.Affinity+") -m str", serverName(i), "}")
		}
	}
	if c.own.number > 0 {
		t.comment("    ", "For messages that must go to this agent, also while it drains. The other agents are for the time in which it is down.")
		own := c.own.number - 1
		t.line("    use-server", serverName(own), "if TRUE")
		t.line("    server", serverName(own), c.Agents[own], c.ServerOptions, check)
		for i, addr := range c.Agents {
			if i != own {
				t.line("    server", serverName(i), addr, "backup", c.ServerOptions, check)
			}
		}
		return
	}
	for i, addr := range c.Agents {
		t.line("    server", serverName(i), addr, c.ServerOptions, check)
	}
}

func serverName(i int) string { return "agent" + strconv.Itoa(i+1) }

// setsTxn reports whether a message's handler sets a variable of the scope txn.
func setsTxn(m model.Message, name string) bool {
	return slices.ContainsFunc(m.Vars, func(v model.Var) bool { return v.Scope == "txn" && v.Name == name })
}

// setterOf returns the engine whose agent sets a variable of the scope txn, or nil.
func setterOf(engines []engine, name string) *engine {
	for i := range engines {
		if slices.ContainsFunc(engines[i].agent.Messages, func(m model.Message) bool { return setsTxn(m, name) }) {
			return &engines[i]
		}
	}
	return nil
}
