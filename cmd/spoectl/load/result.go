package load

import "time"

// Result is what came of a Pipeline.
type Result struct {
	Acks uint64        // within the measured window
	All  uint64        // of the whole run
	Wall time.Duration // the measured window

	// Latency is the time from when a NOTIFY was due to its ACK. With a Rate,
	// that is when it should have left, whether the agent let it or not: what
	// waits behind a stall counts in full, and nothing is omitted. Without,
	// a NOTIFY is due when there is room for it, and Histogram.Corrected tells
	// what those would have seen who did not wait.
	Latency Histogram
	// Service is the time from when it was handed to the socket.
	Service Histogram

	// Outcomes counts the ACKs of the measured window that HAProxy gets nothing from.
	Outcomes Outcomes

	// Unsent is how many NOTIFYs were due and had no room until the end.
	Unsent uint64
	// Goodbye is what was wrong after the run: an ACK too many, or no
	// AGENT-DISCONNECT in answer to HAProxy's.
	Goodbye error
}

// Rate is the number of NOTIFYs a second.
func (r *Result) Rate() float64 {
	if r.Wall <= 0 {
		return 0
	}
	return float64(r.Acks) / r.Wall.Seconds()
}
