package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// keyType is the type of a field for the key of a pair.Store. A message with such a
// field needs the agent that has the value.
const keyType = "pair.Key"

// checkPaired finds a message that needs the agent of an earlier one, if HAProxy
// chooses among several.
func (c *checker) checkPaired(m *syntax.SPOEMessage, known *model.Message) {
	i := slices.IndexFunc(known.Args, func(a model.Arg) bool { return a.Go == keyType })
	b := c.cfg.Find(c.engine.Backend, "backend", "listen")
	if i < 0 || b == nil || c.keepsAgent(b) {
		return
	}
	var names []string
	for _, d := range b.Servers() {
		if !d.Maybe && !slices.Contains(d.Words, "backup") && !slices.Contains(d.Words, "disabled") {
			names = append(names, d.Second())
		}
	}
	if len(names) < 2 {
		return
	}
	c.find(AgentNotKept, b.Head,
		fmt.Sprintf("the message %q needs the agent that has the value of its argument %s, and backend %s sends it to any of %s", m.Name, known.Args[i].Label(), b.Name, strings.Join(names, ", ")),
		"The other agents do not have the value: with two agents, half of these messages do not find it.",
		"Set haproxy.Config.Affinity, and write the files again. With HAProxy 3.1 and later, a rule such as \"use-server agent1 if { var(ptxn."+c.engine.Prefix+".agent) -m str agent1 }\" for each agent does it.")
}

// keepsAgent reports whether a backend chooses the server otherwise than in turn or by
// load.
func (c *checker) keepsAgent(b *syntax.Section) bool {
	return slices.ContainsFunc(b.All(), func(d syntax.Directive) bool {
		switch {
		case d.Is("use-server"), d.Is("stick"), d.Is("cookie"):
			return true
		case d.Is("balance"):
			return !slices.Contains([]string{"roundrobin", "static-rr", "leastconn", "random"}, strings.SplitN(d.Second(), "(", 2)[0])
		}
		return false
	})
}
