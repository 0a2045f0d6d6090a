package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkBackend reports whether HAProxy would notice that an agent is gone.
func (c *checker) checkBackend() {
	b := c.cfg.Find(c.engine.Backend, "backend", "listen")
	if b == nil {
		return // HAProxy refuses it
	}
	spop := c.knowsAgents(b)
	servers := b.Servers()
	c.checkServers(b, servers)
	c.checkRefused(b)
	for _, d := range servers {
		words := settings(b, d)
		fix := "Write \"check\" after its address, or \"default-server check inter 1s fall 3 rise 1\" into the backend."
		if !spop {
			fix += " Write \"option spop-check\" into it, too."
		}
		c.checkSpoken(b, d, words)
		c.checkProbe(b, d, words)
		switch {
		case !words.has("check") && !words.has("track"):
			c.find(NoHealthCheck, d,
				fmt.Sprintf("the agent %s of backend %s has no health check", d.Second(), b.Name),
				"HAProxy keeps asking an agent that is gone: each request fails, or waits until the timeout. An agent that shuts down cannot make HAProxy use another one.",
				fix)
		case !spop && words.has("check") && !words.has("healthcheck") && !slices.ContainsFunc(checkKinds(b), isForeign):
			c.find(NoHealthCheck, b.Head,
				fmt.Sprintf("backend %s has no \"option spop-check\"", b.Name),
				"Its health checks only connect: an agent that is shutting down counts as up, and so does any other program on the port.",
				"Write \"option spop-check\" into the backend.")
		}
	}
}

// checkServers finds a backend without an agent that HAProxy can ask.
func (c *checker) checkServers(b *syntax.Section, servers []syntax.Directive) {
	problem, fix := fmt.Sprintf("backend %s, of the agents, has no server line", b.Name), "remove \"disabled\"."
	each := func(is func(server syntax.Directive) bool) bool {
		return len(servers) > 0 && !slices.ContainsFunc(servers, func(d syntax.Directive) bool { return !is(d) || d.Maybe })
	}
	switch {
	case len(servers) == 0 && !slices.ContainsFunc(b.Lines, func(d syntax.Directive) bool { return d.Is("use-server") || d.Maybe }):
	case slices.ContainsFunc(b.All(), func(d syntax.Directive) bool { return d.Is("disabled") && !d.Maybe }):
		problem = fmt.Sprintf("backend %s, of the agents, is \"disabled\"", b.Name)
	case each(func(d syntax.Directive) bool { return slices.Contains(d.Words, "disabled") }):
		problem = fmt.Sprintf("each server of backend %s, of the agents, is \"disabled\"", b.Name)
	case each(func(d syntax.Directive) bool { return settings(b, d)["weight"] == "0" }):
		problem = fmt.Sprintf("each server of backend %s, of the agents, has the weight 0", b.Name)
		fix = "write a weight that is not 0."
	case each(func(d syntax.Directive) bool { return unresolved(b, d) }):
		problem = fmt.Sprintf("the servers of backend %s, of the agents, have host names, and \"init-addr none\" without \"resolvers\"", b.Name)
		fix = "remove \"init-addr none\"."
	default:
		return
	}
	c.find(NoServer, b.Head, problem,
		"No request gets an answer: the error is 2 up to HAProxy 3.0, and 257 later.",
		"Write a line such as \"server agent1 127.0.0.1:9000 check\", with the agent's address, or "+fix)
}

// unresolved reports whether a server has a name that HAProxy looks up neither at its start
// nor later.
func unresolved(b *syntax.Section, server syntax.Directive) bool {
	words := settings(b, server)
	if len(server.Words) < 3 || words["init-addr"] != "none" || words.has("resolvers") {
		return false
	}
	host, _, _ := strings.Cut(server.Words[2], ":")
	return host != "" && !strings.ContainsAny(host, "@/$*%[") && strings.Trim(host, "0123456789.") != ""
}

// knowsAgents reports whether a backend has health checks that an agent may understand:
// over SPOP, of its HTTP port, by a script, by tcp-check rules.
func (c *checker) knowsAgents(s *syntax.Section) bool {
	return slices.ContainsFunc(checkKinds(s), func(kind string) bool {
		switch kind {
		case "spop-check", "httpchk", "external-check":
			return true
		case "tcp-check":
			return slices.ContainsFunc(s.All(), func(d syntax.Directive) bool { return d.Is("tcp-check", "expect") })
		}
		return false
	})
}

// serverWords are the words in force for a server, each with the word after it.
type serverWords map[string]string

func (w serverWords) has(word string) bool { _, ok := w[word]; return ok }

// settings returns the words of a server's line, and those of the default-server lines
// before it. "no-ssl" takes "ssl" away, and the other way round.
func settings(b *syntax.Section, server syntax.Directive) serverWords {
	inForce := serverWords{}
	for _, d := range b.All() {
		first := 1
		here := d.Line == server.Line && d.File == server.File
		switch {
		case here:
			first = 3 // after the server's name and address
		case !d.Is("default-server"):
			continue
		}
		for i := first; i < len(d.Words); i++ {
			word, next := d.Words[i], ""
			if i+1 < len(d.Words) {
				next = d.Words[i+1]
			}
			if other, isNo := strings.CutPrefix(word, "no-"); !isNo {
				delete(inForce, "no-"+word)
			} else if word != "no-check" || !d.Maybe {
				delete(inForce, other)
			}
			inForce[word] = next
		}
		if here {
			break
		}
	}
	return inForce
}
