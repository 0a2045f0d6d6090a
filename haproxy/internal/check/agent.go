package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkAgent looks at the agent section itself.
func (c *checker) checkAgent() {
	e := c.engine
	if e.OnError == "" && c.setsVars() {
		c.find(NoSetOnError, e.Head,
			"the agent section has no \"option set-on-error\"",
			"A rule cannot distinguish a request that the agent let pass from a request without an answer, unless each answer sets a variable. It cannot see the reason either.",
			"Write \"option set-on-error error\", and test txn."+e.Prefix+".error in a rule.")
	}
	if e.Processing == 0 {
		c.find(NoProcessingTimeout, e.Head,
			"the agent section has no \"timeout processing\"",
			"A request waits as long as the agent takes. If the agent hangs, it waits until the \"timeout server\" of the agent's backend, often minutes.",
			"Write \"timeout processing 500ms\", or the longest time that a visitor should wait.")
		return
	}
	var slow []string
	longest := time.Duration(0)
	for _, m := range c.agent.Messages {
		if d := time.Duration(m.Deadline); d >= e.Processing && c.sends(m.Name) {
			slow, longest = append(slow, m.Name), max(longest, d)
		}
	}
	if len(slow) > 0 {
		c.find(DeadlineTooLong, e.ProcessingAt,
			fmt.Sprintf("\"timeout processing\" is %v, and the agent may take %v for %s", e.Processing, longest, quoteAll(slow)),
			"HAProxy gives up before the agent does: the request goes on without an answer (st=1), and loses the agent's reason and the variables of messages that it has finished.",
			fmt.Sprintf("Make \"timeout processing\" longer than %v plus the round trip, or the agent's own timeout (middleware.Timeout) shorter.", longest))
	}
}

// quoteAll lists names in quotes.
func quoteAll(names []string) string {
	var quoted []string
	for _, n := range slices.Compact(names) {
		quoted = append(quoted, strconv.Quote(n))
	}
	return strings.Join(quoted, ", ")
}

// setsVars reports whether an answer to a message that HAProxy sends may set a variable;
// otherwise no rule can depend on an answer.
func (c *checker) setsVars() bool {
	return slices.ContainsFunc(c.engine.Messages, func(m *syntax.SPOEMessage) bool {
		known := c.agent.Message(m.Name)
		return known == nil || known.SetsVars()
	})
}
