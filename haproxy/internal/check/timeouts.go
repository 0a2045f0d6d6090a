package check

import "fmt"

// checkTimeouts compares the timeouts that bound one question.
func (c *checker) checkTimeouts() {
	b := c.cfg.Find(c.engine.Backend, "backend", "listen")
	if b == nil || c.engine.Processing == 0 {
		return
	}
	t, at, ok := b.Timeout("server")
	if !ok || t >= c.engine.Processing {
		return
	}
	c.find(TimeoutTooShort, at,
		fmt.Sprintf("\"timeout server\" of backend %s is %v, and \"timeout processing\" is %v", b.Name, t, c.engine.Processing),
		fmt.Sprintf("HAProxy gives up after %v: a question that takes longer has no answer.", t),
		fmt.Sprintf("Make \"timeout server\" of backend %s longer than \"timeout processing\", such as 3m.", b.Name))
}
