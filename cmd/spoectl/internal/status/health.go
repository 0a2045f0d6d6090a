package status

import "regexp"

var healthLine = regexp.MustCompile(`(?:Server|Health check for (?:backup )?server) (\S+)/(\S+) .*reason: ([^,]+)(?:, code: \d+)?(?:, info: "([^"]*)")?`)

// health explains why HAProxy's health check of an agent fails, by HAProxy's reason.
var health = map[string]Explanation{
	"Layer4 connection problem": always(
		"Nothing listens on the agent's address, or a firewall refuses the connection.",
		"Start the agent, or correct the address of the server line; `spoectl ask ADDR MESSAGE` tries the same from here."),
	"Layer4 timeout": always(
		"The agent's address does not answer to a connection at all: a wrong address, a firewall that drops, or a machine that is down.",
		"Look at the address and the network between the two."),
	"Layer6 invalid response": always(
		"The server line has `ssl`, and the agent's port does not speak TLS, or the certificates do not fit.",
		"Have TLS on both sides or on none; look at the agent's log."),
	"Layer7 invalid response": always(
		"The port answers, and not as an agent: something else listens there, the agent closes its connections as it is being stopped, or it refuses the hello (with an AGENT-DISCONNECT).",
		"`spoectl ask --hello ADDR MESSAGE` shows the answer to a hello. While an agent is stopping, HAProxy should see this."),
	"Layer7 timeout": always(
		"The port takes connections and does not answer a hello within `timeout check`: the agent hangs, something else listens there, or HAProxy speaks TLS or sends a PROXY header that the other side does not expect.",
		"`spoectl ask --hello ADDR MESSAGE` shows how long a hello takes; look at `send-proxy` and `ssl` on the server line."),
	"Layer7 wrong status": always(
		"`option httpchk` is in force for the agents' backend, and the answer is not the one that it wants.",
		"Write `option spop-check` in place of `option httpchk`, or name a port of the agent for HTTP: `check port N`."),
}

// Health explains a line of HAProxy's log about a health check; ok is false if it is
// none, or one that says that all is well.
func Health(line string) (e Explanation, words []string, ok bool) {
	m := healthLine.FindStringSubmatch(line)
	if m == nil {
		return e, nil, false
	}
	e, ok = health[m[3]]
	e.Title = "health check: " + m[3]
	words = []string{"backend " + m[1] + ", server " + m[2]}
	if m[4] != "" {
		words = append(words, "HAProxy adds: "+m[4])
	}
	return e, words, ok
}
