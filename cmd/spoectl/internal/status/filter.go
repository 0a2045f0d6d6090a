package status

// The parts that 4 and 5 have in common.
const (
	interrupted = "HAProxy interrupted the question: the visitor went away, or it closed its sending side behind the request and `option abortonclose` holds (the default from 3.3 on). HAProxy goes on with its rules, without an answer."
	noDelay     = "Or a rule `tcp-request content send-spoe-group` (or tcp-response) has no `inspect-delay`: HAProxy does not wait for the answer to any question."
)

var afterInterruption = []string{
	"Refuse such requests, or a visitor passes by half-closing: `http-request deny deny_status 400 if { var(txn.PREFIX.error) -m int 3 4 5 }` behind the question, or a rule that fails closed. `spoectl check` tells where none does.",
	"If all questions of a rule on content end so, write `tcp-request inspect-delay 5s` before it.",
	"Otherwise nothing, if there are few. Many of them mean that visitors do not wait: look at the time in the line.",
}

// filter explains the numbers of HAProxy's own engine: st= below 256.
var filter = map[int]Explanation{
	0: {
		Title: "all went well",
		Means: []Said{
			{"", "The agent has acknowledged the event or group in time."},
			{"", "It does not say that the variables were set: HAProxy drops a malformed action with all that follow it in the ACK, and by itself one whose name is too long or, in the scope proc, not known, and still logs st=0."},
		},
		Do: []string{
			"Nothing; `option dontlog-normal` in the spoe-agent section keeps such lines out of the log.",
			"If a variable is missing: one of the scope proc (before 2.5, of any scope) has to be in the configuration, in `register-var-names`, or be forced by `option force-set-var`; its whole name (scope.prefix.name) has 63 bytes at most. `spoectl check` tells, and `spoectl ask` shows what the agent sends.",
		},
	},
	1: {
		Title: "a timeout",
		Means: []Said{
			{"", "No ACK came within `timeout processing`: a handler that is slow, hangs, or failed without an answer; or no agent, where health checks have not told yet and HAProxy went on trying to connect; or TLS on one side alone (`ssl` of the server line)."},
			{"", "Also where `maxconn` of the server line is reached: the question waits in a queue for longer than it may."},
			{"2.6 to 3.0", "Also where the agent does not greet within `timeout hello`."},
			{"to 3.0", "Also where a message is larger than a frame and the agent does not announce fragmentation: HAProxy reconnects hundreds of times (status 10), then gives up."},
			{"3.0.0", "Also where the agent disconnects with status 0 while requests wait."},
			{"3.1 and later", "Also where an ACK is over the agreed size or has no FIN: HAProxy does not complain, the request waits."},
			{"3.1.0", "Also where an ACK has no action at all, or the agent closes while requests wait."},
		},
		Do: []string{
			"Give the agent a deadline below `timeout processing`, by the way there and back (middleware.Timeout), so that it answers without a result rather than never.",
			"`spoectl ask` shows how long one message takes, `spoectl bench --rate` at how much load that changes.",
			"For 3.1.0: Agent.NoEmptyACK, or better, upgrade.",
		},
	},
	2: {
		Title: "no resource",
		Means: []Said{{"", "HAProxy had nothing to process the event with: mostly, no connection to an agent, as no server of the agents' backend is up."}, {"3.1 and later", "That no server is up is 257 there."}, {"2.7 to 2.8 and 3.0.0 to 3.0.2", "After an AGENT-DISCONNECT, up to half of all questions end so: a fault of HAProxy that 3.0.3 and later 2.8 do not have."}},
		Do: []string{
			"Is the agent there? `spoectl ask ADDR MESSAGE`, and `show servers state` of HAProxy's Runtime API.",
			"With 2.7 to 2.8 or 3.0.0 to 3.0.2, upgrade HAProxy; `max-waiting-frames 1` and restarts by agent-check mean fewer of them.",
			"Have several agents, and check them (`option spop-check`); look at maxconn and the limit of open files.",
		},
	},
	3: {
		Title: "the message is too big",
		Means: []Said{
			{"to 3.0", "The payload exceeds the frame and may not be fragmented (`no option send-frag-payload`)."},
			{"3.1 and later", "The message does not fit into HAProxy's buffer. HAProxy drops it, and the agent never sees it: from 3.1 on there is no fragmentation."},
			{"3.4 and later", "Also where `wait-for-body … use-large-buffer` has waited for a body that is longer than `tune.bufsize`."},
		},
		Do: []string{
			"Refuse such requests, as visitors choose how long theirs are: `http-request deny deny_status 400 if { var(txn.PREFIX.error) -m int 3 4 5 }` behind the question, or a rule that fails closed.",
			"Raise `tune.bufsize`: the frame is 4 bytes less than it. It costs memory for every connection.",
			"Send less: `req.body,bytes(0,8192)` rather than `req.body`, single headers rather than `req.hdrs`.",
			"To 3.0: an agent that announces fragmentation takes any size.",
		},
	},
	4: {
		Title: "interrupted, or a fragmentation that was aborted",
		Means: []Said{
			{"to 3.0", "The fragmentation of a payload was aborted: the client went away in the middle of it, or the agent gave up (ABORT)."},
			{"3.1 and later", interrupted + " SPOE.txt still says 5 for that."},
			{"3.1 and later", noDelay},
		},
		Do: afterInterruption,
	},
	5: {
		Title: "interrupted",
		Means: []Said{
			{"to 3.0", interrupted},
			{"to 3.0", noDelay},
			{"3.1 and later", "Not used, though SPOE.txt says so: it is 4 there."},
		},
		Do: afterInterruption,
	},
	255: {
		Title: "an unknown error",
		Means: []Said{{"", "The event could not be processed, for a reason that has no number."}},
		Do:    []string{"Look at HAProxy's and the agent's log around it; with `spoectl tap` between them one sees the frames."},
	},
}
