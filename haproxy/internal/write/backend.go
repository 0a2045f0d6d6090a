package write

import (
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

func writeBackend(a model.Agent, c Config, engines []engine) string {
	var t text
	processing := time.Duration(0)
	for _, e := range engines {
		processing = max(processing, e.config.Processing)
	}
	t.comment("", "The agents of "+engineNames(engines)+". Load this file first: haproxy -f agents.cfg -f haproxy.cfg")
	t.comment("", "The agent's program wrote this file (-print-config=backend). To change it, change the program.")
	if size, names := buffer(&a); size > syntax.DefaultBufsize { // less would be less for all
		t.line()
		t.line("global")
		t.comment("    ", "For "+strings.Join(names, ", ")+", a request's head and body must fit into one buffer. "+
			"HAProxy uses two buffers for each request. From 3.1 on the line applies to filter lines after it: load this file before haproxy.cfg.")
		t.line("    tune.bufsize", strconv.Itoa(size))
	}
	c.writeAgents(&t, engines, processing)
	if c.splits() {
		for i := range c.Agents {
			one := c
			one.own, one.Backend = ownAgent{i + 1, len(c.Agents)}, c.Backend+"-"+serverName(i)
			one.writeAgents(&t, engines, processing)
		}
	}
	c.writePages(&t)
	return t.String()
}

// writeAgents writes a backend with agents.
func (c *Config) writeAgents(t *text, engines []engine, processing time.Duration) {
	t.line()
	t.line("backend", c.Backend)
	switch {
	case c.muxed():
		t.line("    mode spop")
	case c.unmuxed():
		t.line("    mode tcp")
	default:
		t.comment("    ", "HAProxy 3.1 and later accept \"mode tcp\", too, but then open a connection for each message.")
		t.line(".if version_atleast(3.1)")
		t.line("    mode spop")
		t.line(".else")
		t.line("    mode tcp")
		t.line(".endif")
	}
	t.line("    log global")
	t.line("    balance roundrobin")
	t.line()
	if c.muxed() {
		t.comment("    ", "The SPOE file's \"timeout processing\" limits the wait of a request; these limit connections.")
	} else {
		t.comment("    ", "Longer than \"timeout hello\" and \"timeout idle\" in the SPOE file, which HAProxy 3.1 and later ignore.")
	}
	t.line("    timeout connect 5s")
	// It also ends a question, so it must be longer than each timeout of the SPOE file.
	t.line("    timeout server", syntax.FormatTime(idle(processing)+time.Minute))
	t.line()
	t.comment("    ", "Health checks by an SPOP handshake. An agent that is shutting down fails them, and gets no more messages while it answers the rest.")
	t.line("    option spop-check")
	t.line("    default-server check inter 1s fall 3 rise 1")
	c.writeServers(t, engines)
}

// idle returns the "timeout idle" of the SPOE file. It is longer than a question:
// HAProxy up to 3.0 ends a question with its connection.
func idle(processing time.Duration) time.Duration {
	return max(2*time.Minute, processing+time.Minute)
}

func engineNames(engines []engine) string {
	var names []string
	for _, e := range engines {
		names = append(names, e.config.Engine)
	}
	return strings.Join(names, ", ")
}

// buffer returns the largest buffer that a message asks for, and the names of these
// messages.
func buffer(a *model.Agent) (size int, names []string) {
	for _, m := range a.Messages {
		if m.Buffer > 0 {
			size = max(size, m.Buffer)
			names = append(names, m.Name)
		}
	}
	return size, names
}
