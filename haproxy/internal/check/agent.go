package check

import (
	"fmt"
	"slices"
	"time"
)

// checkAgent looks at the agent section itself.
func (c *checker) checkAgent() {
	e := c.engine
	if e.OnError == "" {
		c.find(NoSetOnError, e.Head,
			"the agent section has no \"option set-on-error\"",
			"Unless each answer sets a variable, no rule can distinguish a request that the agent let pass from one that it never answered, or see the reason.",
			"Write \"option set-on-error error\", and test txn."+e.Prefix+".error in a rule.")
	}
	if e.Processing == 0 {
		c.find(NoProcessingTimeout, e.Head,
			"the agent section has no \"timeout processing\"",
			"A request waits for its answer for as long as the agent takes: if it hangs, until the \"timeout server\" of its backend, often minutes.",
			"Write \"timeout processing 500ms\", or what a visitor can wait for.")
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
			"HAProxy gives up before the agent does: the request goes on without an answer (st=1), though one that says why, and which messages before it had set, was about to come.",
			fmt.Sprintf("Make \"timeout processing\" longer than %v, by the way there and back, or the agent's own timeout (middleware.Timeout) shorter.", longest))
	}
}

// quoteAll names several things in a text.
func quoteAll(names []string) string {
	s := ""
	for i, n := range slices.Compact(names) {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%q", n)
	}
	return s
}
