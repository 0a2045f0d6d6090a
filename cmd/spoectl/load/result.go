package load

import "time"

// Result is the result of a Pipeline.
type Result struct {
	Acks uint64        // within the measured window
	All  uint64        // of the whole run
	Wall time.Duration // the measured window

	// Latency is the time from when a NOTIFY was due to its ACK. With a Rate, that is the
	// time when it should have left, even if the agent kept it from leaving: the wait
	// behind a stall counts in full. Without a Rate, a NOTIFY is due when a place is free,
	// and Histogram.Corrected adds the latencies of clients that would not have waited.
	Latency Histogram
	// Service is the time from when it was handed to the socket.
	Service Histogram

	// Outcomes counts the ACKs of the measured window that HAProxy gets nothing from.
	Outcomes Outcomes

	// Unsent is the number of NOTIFYs that were due and had no free place until the
	// end.
	Unsent uint64
	// Disconnect is the mistake after the run: an ACK too many, or no AGENT-DISCONNECT in
	// answer to HAProxy's.
	Disconnect error
}

// Rate is the number of NOTIFYs a second.
func (r *Result) Rate() float64 {
	if r.Wall <= 0 {
		return 0
	}
	return float64(r.Acks) / r.Wall.Seconds()
}
