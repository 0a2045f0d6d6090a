package haproxy

import (
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/write"
)

// Config has the settings of [Write] that are not in the routes. Only Engine is
// required.
type Config struct {
	// Engine names the SPOE engine, its agent section, and the backend: letters,
	// digits, '-', '_', '.' and ':'. It must be set.
	Engine string
	// Prefix follows the scope in the names of the variables: txn.<Prefix>.name.
	// Default: Engine, with '_' for characters that such names cannot have.
	Prefix string
	// Backend is the backend with the agents. Default: Engine with "-agents".
	Backend string
	// Agents are the agents' addresses, in the form of HAProxy's server lines:
	// 127.0.0.1:9000, unix@/run/guard/spoa.sock, abns@guard. Default: 127.0.0.1:9000.
	Agents []string
	// ServerOptions follow each agent's address, such as "ssl verify required ca-file
	// /etc/haproxy/agents-ca.pem".
	ServerOptions string
	// SPOEFile is the SPOE file in the frontend's filter line.
	// Default: spoe.conf.
	SPOEFile string
	// Processing is the maximum time that a request waits for its answer (`timeout
	// processing`). It must be longer than the longest deadline of the routes. Default:
	// twice that deadline, 100 ms at least; 500 ms if no route has a deadline.
	Processing time.Duration
	// FailClosed refuses requests without an answer. Default: they pass; the rule that
	// refuses them is written as a comment.
	FailClosed bool
	// Version is the version of HAProxy that reads the files, such as "2.6" or "3.2".
	// Default: files for all versions.
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
	// Headers are request headers that the site gets from the engine's variables in the
	// scope txn, by the header's name: {"X-Auth-User": "user"}. A visitor cannot forge
	// them: rules before the first message delete headers of that name and of each name
	// that a site may read as the same, such as X_Auth_User, and refuse a request whose
	// Connection header lists such a name. It needs HAProxy 2.6.
	Headers map[string]string
	// Rules are lines for the frontend, after the rules about a missing answer and before
	// those of Headers, such as "http-request deny unless { var(txn.guard.score) -m int
	// gt 30 }", or comments that begin with '#'.
	Rules []string
	// Pages are HTTP servers of the agents, such as those of a login. The backend file
	// gets a backend for them, and the frontend a use_backend. Default: no pages.
	Pages *Pages
}

// Pages are HTTP servers of the agents; see [Config].
type Pages = write.Pages

// Engine overrides Config for one of several engines.
type Engine = write.Engine
