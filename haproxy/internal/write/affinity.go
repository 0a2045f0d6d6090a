package write

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/router"
)

// turnVar is the variable behind txn.<Prefix> that says which agent's turn it is.
const turnVar = "affinity_turn"

// alone says that an engine has a backend of its own for one of several agents. The zero
// alone is an engine of all agents.
type alone struct {
	agent  int // 1 is the first of Config.Agents
	agents int
}

// inFirst reports whether an engine is the first of the engines that split made of one.
func (a alone) inFirst() bool { return a.agent <= 1 }

// inLast reports whether an engine is the last of them.
func (a alone) inLast() bool { return a.agent == a.agents }

// splits reports whether each agent gets an engine and a backend of its own, so that
// rules of the frontend choose the agent. HAProxy up to 3.0 knows no other way: rules of
// the agents' backend cannot read the request's variables there.
func (c *Config) splits() bool { return c.Affinity != "" && !c.muxed() && len(c.Agents) > 1 }

// split returns an engine for each agent in the place of each engine.
func (c *Config) split(engines []engine) ([]engine, error) {
	var all []engine
	var errs []error
	for _, e := range engines {
		for _, m := range e.agent.Messages {
			if m.Group == "" {
				errs = append(errs, fmt.Errorf("haproxy: Config.Affinity needs the message %q in a group, because rules choose among the agents up to HAProxy 3.0: "+
					"call Group, or set Config.Version to \"3.1\" or later", m.Name))
			}
		}
		for i := range c.Agents {
			one := e
			one.config.alone = alone{i + 1, len(c.Agents)}
			one.config.Engine += "-" + serverName(i)
			one.config.Backend += "-" + serverName(i)
			all = append(all, one)
		}
	}
	return all, errors.Join(errs...)
}

// chosen returns the conditions under which the rule for a group asks the engine's agent,
// of which one must hold; none for an engine of all agents. A group that is sent after
// the answer that names an agent goes to that agent, one that may be sent before it to
// the agent whose turn it is.
func (c *Config) chosen(a model.Agent, group string) []string {
	if c.alone.agent == 0 {
		return nil
	}
	turn := "{ var(" + c.fullName("txn", turnVar) + ") -m int " + strconv.Itoa(c.alone.agent-1) + " }"
	named := "{ var(" + c.fullName("txn", c.Affinity) + ") -m "
	own := named + "str " + serverName(c.alone.agent-1) + " }"
	switch {
	case c.begins(a, group):
		return []string{turn}
	case c.follows(a, group):
		return []string{own}
	}
	return []string{own, "!" + named + "found } " + turn}
}

// begins reports whether a group has the message whose answer names the agent.
func (c *Config) begins(a model.Agent, group string) bool {
	return slices.ContainsFunc(a.Messages, func(m model.Message) bool {
		return m.Group == group && slices.ContainsFunc(m.Vars, func(v model.Var) bool { return v.Scope == "txn" && v.Name == c.Affinity })
	})
}

// follows reports whether a group is sent in a later stage than one that begins.
func (c *Config) follows(a model.Agent, group string) bool {
	return slices.ContainsFunc(a.Groups(), func(g string) bool { return c.begins(a, g) && stageOf(a, g) < stageOf(a, group) })
}

// stageOf returns the stage of a group as a number that grows with time.
func stageOf(a model.Agent, group string) int {
	return slices.Index(router.Events(), a.Message(a.Members(group)[0]).On())
}

// writeTurn writes the rule that chooses the agent, if the group is the first one.
func (c *Config) writeTurn(t *text, a model.Agent, group string, rules *ruleSet) {
	first := slices.MinFunc(a.Groups(), func(g, h string) int { return cmp.Compare(stageOf(a, g), stageOf(a, h)) })
	if c.alone.agent != 1 || group != first {
		return
	}
	t.comment("    ", "Chooses an agent; if that one is down, its backend has the others. Later messages of the request go to the agent that answered.")
	t.line("    "+rules.name+" set-var("+c.fullName("txn", turnVar)+")", "rand("+strconv.Itoa(c.alone.agents)+")")
}
