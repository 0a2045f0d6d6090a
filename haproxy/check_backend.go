package haproxy

import "fmt"

// checkBackend tells whether HAProxy would notice that an agent is gone.
func (c *checker) checkBackend() {
	b := c.cfg.find(c.engine.backend, "backend", "listen")
	if b == nil {
		return // HAProxy refuses it
	}
	checked := false
	for _, d := range b.all() {
		if d.is("default-server") {
			checked = checks(d, checked)
		}
	}
	servers := 0
	for _, d := range b.lines {
		if !d.is("server") && !d.is("server-template") {
			continue
		}
		servers++
		if !checks(d, checked) {
			c.find(NoHealthCheck, d,
				fmt.Sprintf("the agent %s of backend %s has no health check", name(d), b.name),
				"HAProxy goes on asking an agent that is gone: each request fails or waits for its timeout. An agent that shuts down cannot tell it to turn elsewhere.",
				"Write \"check\" behind its address, or \"default-server check inter 1s fall 3 rise 1\" into the backend.")
		}
	}
	// Checks of another kind may well know the agent: its HTTP port, a script.
	other := b.has("httpchk") || b.has("external-check")
	if servers > 0 && !b.has("spop-check") && !other {
		c.find(NoHealthCheck, b.head,
			fmt.Sprintf("backend %s has no \"option spop-check\"", b.name),
			"Health checks, if there are any, connect and no more: an agent that is shutting down, or anything else that listens on its port, counts as up.",
			"Write \"option spop-check\" into the backend.")
	}
}

// checks tells whether a server line has a check, or what it was without a word.
func checks(d directive, checked bool) bool {
	for _, w := range d.words {
		switch w {
		case "check", "track":
			checked = true
		case "no-check":
			checked = false
		}
	}
	return checked
}

func name(d directive) string {
	if len(d.words) < 2 {
		return ""
	}
	return d.words[1]
}
