package status

// disconnect are the statuses that DISCONNECT frames carry (SPOE.txt §3.5), as
// each side uses them.
var disconnect = map[int]Explanation{
	0: {
		Means: []Said{
			{"to 3.0", "From HAProxy: it closes a connection that it has no use for, as connections are scarce. A normal end."},
			{"3.1 and later", "HAProxy sends idle connections no DISCONNECT: it resets them 15 s after their last use."},
			{"", "From the agent: its answer to HAProxy's DISCONNECT, or it shuts down or has reached its connections' maximum age."},
		},
		Do: []string{"Nothing. From the agent with requests waiting, it fails these: st=256 or 257."},
	},
	1: {
		Means: []Said{{"to 3.0", "From HAProxy: the stream that used the connection has closed. A normal end."}},
		Do:    []string{"Nothing."},
	},
	2: {
		Means: []Said{{"to 3.0", "From HAProxy: `timeout idle` is over. A normal end."}, {"3.1 and later", "From HAProxy: `timeout server` of the agents' backend is over."}},
		Do:    []string{"Nothing. To make HAProxy keep connections longer, raise that timeout; the agent's IdleTimeout must be longer."},
	},
	3:  refused("a frame over the agreed size"),
	4:  refused("a frame that cannot be read, a NOTIFY before the hello, a second hello, or something that is no SPOP at all, such as an HTTP request or a port scan"),
	5:  refused("a hello without a version"),
	6:  refused("a hello without max-frame-size"),
	7:  refused("a hello without capabilities; some agents insist on more of them than SPOP does"),
	8:  refused("a hello with no version 2.x"),
	9:  refused("a max-frame-size under 256 bytes, or above its own"),
	10: refused("a fragment, which it does not take"),
	11: refused("a fragment between those of another payload"),
	12: refused("a fragment of a payload that has not begun, or an ACK without a NOTIFY"),
	13: always(
		"From either side: it had no resource for the frame.",
		"Look at its memory and open files. HAProxy logs it as st=269 for the requests that waited."),
	99: always(
		"From either side: an error that has no number. The message beside it says more.",
		"Look at the log of the side that sent it. HAProxy logs it as st=355 for the requests that waited."),
}

func refused(what string) Explanation {
	return always(
		"From either side: the other sent "+what+".",
		"`spoectl tap` between the two shows the frame; HAProxy logs 256 more (st=) for the requests that waited, which `spoectl explain` knows as well.")
}
