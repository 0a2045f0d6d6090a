package haproxytest

import (
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// SPOELog is a line that HAProxy's SPOE filter logged, one for each event or
// group that it sent to an agent. It does so where spoe.conf has `log global`
// (and no `option dontlog-normal`).
type SPOELog struct {
	Line   string
	Agent  string // the spoe-agent of spoe.conf
	Event  string // such as "on-frontend-http-request", or the group's name
	Group  bool   // a group rather than an event
	Stream uint64 // HAProxy's stream, not the stream-id of SPOP

	// Status is `st=`: 0 for success, 1 for a timeout, 2 for no resource, 3 for a
	// message too big, 256 and SPOP's status for an error of the protocol. Others
	// differ between versions.
	Status int

	// Took is the time that the processing added to the request's latency, in whole
	// milliseconds as HAProxy logs it; negative if it was interrupted.
	Took time.Duration
}

// HAProxy up to 3.0 has five timers, later ones have one; the last is the total.
var spoeLine = regexp.MustCompile(`SPOE: \[([^\]]*)\] <(EVENT|GROUP):([^>]*)> sid=(\d+) st=(\d+)(?: (?:-?\d+/)*(-?\d+))?`)

func parseSPOELog(line string) (SPOELog, bool) {
	m := spoeLine.FindStringSubmatch(line)
	if m == nil {
		return SPOELog{}, false
	}
	l := SPOELog{Line: line, Agent: m[1], Event: m[3], Group: m[2] == "GROUP"}
	l.Stream, _ = strconv.ParseUint(m[4], 10, 64) // the expression has digits only
	l.Status, _ = strconv.Atoi(m[5])
	millis, _ := strconv.Atoi(m[6])
	l.Took = time.Duration(millis) * time.Millisecond
	return l, true
}

// Output is all that HAProxy has written: its warnings and, with `log stdout
// format raw local0` in its global section, its log.
func (h *HAProxy) Output() string { return strings.TrimSuffix(h.out.String(), "\n") }

// WaitLog waits for a line of HAProxy's output that contains text, those
// already written included, and returns it. The test fails where none comes.
func (h *HAProxy) WaitLog(text string) string {
	h.tb.Helper()
	var found string
	ok := h.out.Wait(waitLimit, func(output string) bool {
		for line := range wholeLines(output) {
			if strings.Contains(line, text) {
				found = line
				return true
			}
		}
		return false
	})
	if !ok {
		h.tb.Fatalf("no line with %q from %v within %v", text, h.Binary, waitLimit)
	}
	return found
}

// SPOELogs are the lines of the SPOE filter so far. HAProxy may write such a
// line after its client has the response: see WaitSPOELogs.
func (h *HAProxy) SPOELogs() []SPOELog {
	return spoeLogs(h.out.String())
}

// WaitSPOELogs waits until the SPOE filter has logged n lines since HAProxy was
// started, and returns all of them. The test fails where they do not come.
func (h *HAProxy) WaitSPOELogs(n int) []SPOELog {
	h.tb.Helper()
	var logs []SPOELog
	ok := h.out.Wait(waitLimit, func(output string) bool {
		logs = spoeLogs(output)
		return len(logs) >= n
	})
	if !ok {
		h.tb.Fatalf("%d lines of SPOE from %v within %v, want %d (is there `log global` in spoe.conf?)",
			len(logs), h.Binary, waitLimit, n)
	}
	return logs
}

func spoeLogs(output string) []SPOELog {
	var logs []SPOELog
	for line := range wholeLines(output) {
		if l, ok := parseSPOELog(line); ok {
			logs = append(logs, l)
		}
	}
	return logs
}

// wholeLines returns the lines of an output that have ended.
func wholeLines(output string) iter.Seq[string] {
	return strings.SplitSeq(output[:strings.LastIndexByte(output, '\n')+1], "\n")
}
