package check

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkBackend reports whether HAProxy would notice that an agent is gone.
func (c *checker) checkBackend() {
	b := c.cfg.Find(c.engine.Backend, "backend", "listen")
	if b == nil {
		return // HAProxy refuses it
	}
	var def health
	for _, d := range b.All() {
		if d.Is("default-server") {
			def = def.with(d)
		}
	}
	spop := b.Has("spop-check") || knowsAgents(b)
	for _, d := range b.Lines {
		if !d.Is("server") && !d.Is("server-template") {
			continue
		}
		h := def.with(d)
		mend := "Write \"check\" behind its address, or \"default-server check inter 1s fall 3 rise 1\" into the backend."
		if !spop {
			mend += " Write \"option spop-check\" into it, too."
		}
		c.checkSpoken(b, d, h)
		switch {
		case !h.checked && !h.tracks:
			c.find(NoHealthCheck, d,
				fmt.Sprintf("the agent %s of backend %s has no health check", serverName(d), b.Name),
				"HAProxy goes on asking an agent that is gone: each request fails or waits for its timeout. An agent that shuts down cannot tell it to turn elsewhere.",
				mend)
		case !spop && h.checked && !h.named:
			c.find(NoHealthCheck, b.Head,
				fmt.Sprintf("backend %s has no \"option spop-check\"", b.Name),
				"Its health checks connect and no more: an agent that is shutting down, or anything else that listens on its port, counts as up.",
				"Write \"option spop-check\" into the backend.")
		}
	}
}

// knowsAgents reports whether a backend has checks of another kind that may well
// know an agent: of its HTTP port, by a script, by a conversation.
func knowsAgents(s *syntax.Section) bool {
	return s.Has("httpchk") || s.Has("external-check") || s.Has("tcp-check") &&
		slices.ContainsFunc(s.All(), func(d syntax.Directive) bool { return d.Is("tcp-check", "expect") })
}

// health is how a server is checked.
type health struct {
	checked bool
	tracks  bool   // another server's check
	named   bool   // by a section of its own (HAProxy 3.4)
	port    bool   // another port is checked
	proxy   string // the word for a PROXY header
}

// with returns what a line makes of it.
func (h health) with(d syntax.Directive) health {
	for i, w := range d.Words {
		if i < 3 && !d.Is("default-server") {
			continue // the server's name and address
		}
		switch w {
		case "check":
			h.checked = true
		case "no-check":
			h.checked = h.checked && d.Maybe
		case "track":
			h.tracks = true
		case "healthcheck":
			h.named = true
		case "port":
			h.port = true
		case "send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn":
			h.proxy = w
		}
	}
	return h
}

func serverName(d syntax.Directive) string {
	if len(d.Words) < 2 {
		return ""
	}
	return d.Words[1]
}
