package check

import (
	"fmt"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkForEver finds an engine that has both messages on events and groups.
func (c *checker) checkForEver() {
	if !c.before(2, 5) {
		return
	}
	var event, group *syntax.SPOEMessage
	for _, m := range c.engine.Messages {
		for _, s := range c.sendings(m) {
			if s.rule < 0 {
				event = m
			} else {
				group = m
			}
		}
	}
	if event == nil || group == nil {
		return
	}
	c.find(AsksForEver, c.engine.Head,
		fmt.Sprintf("the engine %q sends %q on an event and %q by a rule", c.engine.ID(), event.Name, group.Name),
		"HAProxy up to 2.4 then sends the group in an endless loop, until the client gives up.",
		"Write two engines, each with a \"filter spoe\" line: one with the messages on events, one with the groups. Or use HAProxy 2.6 or later.")
}
