package write

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/router"
)

// ownAgent says that an engine has its own backend, which prefers one of several agents. The
// engine sends the messages that follow the answer with the agent's name. The zero ownAgent is
// an engine of all agents.
type ownAgent struct {
	number int // 1 is the first of Config.Agents
	agents int
}

// isFirst reports whether an engine is the first of the engines that split made of one.
func (a ownAgent) isFirst() bool { return a.number <= 1 }

// isLast reports whether an engine is the last of them.
func (a ownAgent) isLast() bool { return a.number == a.agents }

// splits reports whether following messages go to an engine and a backend for each agent,
// so that rules of the frontend choose the agent. HAProxy up to 3.0 has no other way: its
// rules of the agents' backend cannot read the request's variables.
func (c *Config) splits() bool { return c.Affinity != "" && !c.muxed() && len(c.Agents) > 1 }

// split moves the messages that follow to an engine for each agent.
func (c *Config) split(engines []engine) ([]engine, error) {
	var all []engine
	var errs []error
	for _, e := range engines {
		var others, following []model.Message
		for _, m := range e.agent.Messages {
			switch {
			case !c.follows(e.agent, m):
				others = append(others, m)
			case m.Group == "":
				errs = append(errs, fmt.Errorf("haproxy: Config.Affinity needs the message %q in a group, because rules choose among the agents up to HAProxy 3.0: "+
					"call Group, or set Config.Version to \"3.1\" or later", m.Name))
			default:
				following = append(following, m)
			}
		}
		if len(following) == 0 {
			all = append(all, e)
			continue
		}
		if len(others) > 0 {
			rest := e
			rest.agent.Messages = others
			all = append(all, rest)
		}
		for i := range c.Agents {
			one := e
			one.agent.Messages = following
			one.config.own = ownAgent{i + 1, len(c.Agents)}
			one.config.Engine += "-" + serverName(i)
			one.config.Backend += "-" + serverName(i)
			all = append(all, one)
		}
	}
	return all, errors.Join(errs...)
}

// chosen returns the condition under which the rule for a group asks the engine's agent, or
// "" for an engine of all agents.
func (c *Config) chosen() string {
	if c.own.number == 0 {
		return ""
	}
	return "{ var(" + c.fullName("txn", c.Affinity) + ") -m str " + serverName(c.own.number-1) + " }"
}

// follows reports whether a message is sent in a later stage than the one whose answer
// names the agent.
func (c *Config) follows(a model.Agent, m model.Message) bool {
	return slices.ContainsFunc(a.Messages, func(first model.Message) bool {
		return setsTxn(first, c.Affinity) && stageOf(first) < stageOf(m)
	})
}

// stageOf returns the stage of a message as a number that grows with time.
func stageOf(m model.Message) int { return slices.Index(router.Events(), m.On()) }
