package haproxy

import (
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/write"
)

// Config says what [Write] must know and the routes do not say. A Config that has
// only an Engine works.
type Config struct {
	// Engine names the SPOE engine, its agent section, and the backend: letters,
	// digits, '-', '_', '.' and ':'. It must be set.
	Engine string
	// Prefix is behind the scope in the names of the variables: txn.<Prefix>.name.
	// Default: Engine, with '_' for what such names cannot have.
	Prefix string
	// Backend is the backend with the agents. Default: Engine with "-agents".
	Backend string
	// Agents are the agents' addresses as a server line of HAProxy's has them:
	// 127.0.0.1:9000, unix@/run/guard/spoa.sock, abns@guard. Default: 127.0.0.1:9000.
	Agents []string
	// ServerOptions stand behind each agent's address, such as
	// "ssl verify required ca-file /etc/haproxy/agents-ca.pem".
	ServerOptions string
	// SPOEFile is how the frontend's filter line names the SPOE file.
	// Default: spoe.conf.
	SPOEFile string
	// Processing is how long a request waits for its answer at most
	// (`timeout processing`). It must be longer than the longest deadline of the
	// routes. Default: twice that deadline, 100 ms at least; 500 ms where no
	// route has one.
	Processing time.Duration
	// FailClosed has requests refused that got no answer. Default: they pass; the
	// rule that refuses them is there, with a '#' in front.
	FailClosed bool
	// Version is the HAProxy that the files are for, such as "2.6" or "3.2".
	// Default: files that all versions take.
	Version string
	// Engines overrides Prefix, Processing and FailClosed for the engines that routes
	// name (router.Route.Engine), by the engine's name.
	Engines map[string]Engine
	// AgentCheckPort is the port of spoe.Agent.AgentCheckAddr: each server line gets
	// `agent-check agent-port <port>`, and HAProxy moves its connections away before
	// an agent that is shutting down closes one. Default: no agent-check.
	AgentCheckPort int
	// Affinity names a variable of the scope txn that the first answer of a request
	// sets to the name of the agent's server line: agent1, agent2 and so on, in the
	// order of Agents. The request's messages of later stages then go to that agent. With
	// a Version of 3.1 or later, rules of the agents' backend choose it. Otherwise the
	// later messages have an engine and a backend for each agent, and rules of the
	// frontend choose the engine, so each of these messages must be in a group. With
	// AgentCheckPort, later messages also come to an agent that drains (see
	// spoe.Agent.Drain). Default: any agent.
	Affinity string
	// Headers are request headers that the site gets from variables of the engine's in
	// the scope txn, by the header's name: {"X-Auth-User": "user"}. A visitor cannot
	// forge one: before anything is asked, the rules delete headers of that name and of
	// each name that a site may read as the same, such as X_Auth_User, and refuse a
	// request whose Connection header lists one. It needs HAProxy 2.6.
	Headers map[string]string
	// Rules are lines for the frontend that stand behind the rules about a missing
	// verdict and before those of Headers, such as
	// "http-request deny unless { var(txn.guard.score) -m int gt 30 }", or comments that
	// begin with '#'.
	Rules []string
	// Pages are HTTP servers of the agents, such as those of a login. The backend file
	// gets a backend for them, and the frontend a use_backend. Default: no pages.
	Pages *Pages
}

// Pages are HTTP servers of the agents; see [Config].
type Pages = write.Pages

// Engine overrides Config for one of several engines.
type Engine = write.Engine
