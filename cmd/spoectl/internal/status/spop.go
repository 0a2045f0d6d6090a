package status

// errors are st=256+N, by N: a connection ended by an error of the protocol
// while the request waited on it.
var errors = map[int]Explanation{
	0: {
		Means: []Said{
			{"to 2.6", "The agent sent an AGENT-DISCONNECT with status 0 while requests waited on the connection: it was stopped, or closed a connection that was not quiet."},
			{"to 3.0", "Or `timeout idle` was over while a request waited: it has to be longer than `timeout processing`."},
			{"3.0", "Such a request waits for all of `timeout processing` instead (st=1)."},
			{"3.1 and later", "Logged as 257."},
		},
		Do: []string{
			"Restart agents gracefully: they fail their health checks first, so that HAProxy turns to others (Agent.Shutdown). HAProxy needs `option spop-check` for that.",
			"To 3.0: `max-waiting-frames 1` rules out that one NOTIFY crosses the DISCONNECT behind another's ACK.",
		},
	},
	1: {
		Means: []Said{
			{"3.1 and later", "The agent ended the connection while requests waited on it: it closed it, crashed, or sent an AGENT-DISCONNECT with status 0. HAProxy does not try again elsewhere. (3.1.0 waits for all of `timeout processing`, st=1, after a plain close.) Or there was no connection at all, as no server of the agents' backend is up, which is st=2 to 3.0."},
			{"to 3.0", "The connection to the agent broke."},
			{"", "Or `timeout server` of the agents' backend is over, which ends a question whatever `timeout processing` says."},
			{"3.1 and later", "Or `timeout queue` of the agents' backend is over, where `maxconn` of the server line lets questions wait."},
			{"3.1 and later", "Or no server of the agents' backend is up."},
			{"", "Or no connection was made in the end: nothing listens there, or one side alone speaks TLS (`ssl` of the server line)."},
		},
		Do: []string{
			"Do all of them take the same time? Compare it with `timeout server` of the agents' backend: it has to be longer than `timeout processing`.",
			"Is an agent up? `show servers state` of HAProxy's Runtime API; health checks (`option spop-check`) tell as soon as it is not.",
			"Did the agent crash, or was it restarted at that time? Stop it gracefully (SIGTERM, not SIGKILL; systemd's TimeoutStopSec above Agent.ShutdownTimeout).",
			"Something between the two that closes idle connections (a load balancer, conntrack)? The agent's IdleTimeout is longer than HAProxy's `timeout idle` and `timeout server`.",
		},
	},
	2: {
		Means: []Said{
			{"2.2", "No AGENT-HELLO came within `timeout hello`."},
			{"2.6 to 3.0", "That is st=1 there. `timeout idle` is 256, `timeout server` of the agents' backend is 257."},
			{"3.1 and later", "`timeout hello` and `timeout idle` are ignored; `timeout server` of the agents' backend is 257."},
		},
		Do: []string{"Does the agent answer a hello at once? `spoectl ask --hello ADDR MESSAGE`. Is `timeout server` of the backend longer than `timeout processing`?"},
	},
	3: {
		Means: []Said{
			{"", "The message is longer than the frame size that the agent agreed to. Up to 3.0 the smallest size of all agents binds the whole thread."},
			{"to 3.0", "Or the agent's ACK was longer than the agreed size."},
			{"3.1.0", "Not seen: it sends a NOTIFY over the agreed size all the same."},
		},
		Do: []string{
			"Let the agent accept the size that HAProxy offers (Agent.MaxFrameSize above `tune.bufsize`); `spoectl ask --hello` shows what was agreed.",
			"Let the agent hold its ACKs under the agreed size, as Spoke does.",
		},
	},
	4: always(
		"One side could not read the other's frame: something else than an agent on that port, a frame under 7 bytes, a damaged payload, or an AGENT-HELLO cut into several writes, which breaks 3.1 and later.",
		"`spoectl conform ADDR` finds the agent's mistake; `spoectl tap` shows the frame. Is the backend's port the agent's, with TLS on both sides or none?"),
	5: hello("version"),
	6: hello("max-frame-size"),
	7: hello("capabilities"),
	8: always(
		"The two do not speak a common version of SPOP: HAProxy speaks 2.0.",
		"`spoectl ask --hello` shows the agent's answer."),
	9: {
		Means: []Said{
			{"", "The agent answered with a max-frame-size under 256 bytes, or above HAProxy's own."},
			{"3.1 and later", "Also where it sent a frame longer than that."},
		},
		Do: []string{"The agent has to answer with the size that it was offered, or less; `spoectl ask --hello` shows both."},
	},
	10: {
		Means: []Said{
			{"to 3.0", "A message is larger than the frame and the agent does not announce fragmentation: HAProxy closes, connects again, and does that hundreds of times until the timeout. Or the agent sent an ACK without FIN."},
			{"3.1 and later", "Fragmentation is gone from HAProxy; the agent sent a fragment."},
		},
		Do: []string{
			"Take an agent that announces fragmentation, as Spoke does; or `no option send-frag-payload`, which makes it a clean st=3.",
			"Or raise `tune.bufsize`, or send less.",
		},
	},
	11: always(
		"A fragment came between those of another payload.",
		"It is the agent's mistake, or HAProxy's: `spoectl tap --record` shows whose."),
	12: {
		Means: []Said{
			{"to 3.0", "An ACK with a stream-id and frame-id without a NOTIFY, while another is awaited."},
			{"3.1 and later", "An ACK with a stream-id above all that were sent, or a frame-id above the stream's. A late one is ignored."},
		},
		Do: []string{"The agent has to copy both ids, 64 bits each, from the NOTIFY; 0 is a valid stream-id. `spoectl conform ADDR --cases notify/` tries that."},
	},
	13: always(
		"One side had no memory, or another resource, for the frame.",
		"Look at the memory of both."),
	99: always(
		"One side ended the connection for a reason that has no number.",
		"The agent's log says more, and the message in its DISCONNECT, which `spoectl tap` shows."),
}

func hello(key string) Explanation {
	return always(
		"A hello lacked "+key+": the agent's answer, or HAProxy's as the agent read it.",
		"`spoectl ask --hello ADDR MESSAGE` shows both; `spoectl conform ADDR --cases hello/` tries what the agent takes.")
}
