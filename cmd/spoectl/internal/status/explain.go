package status

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Explanation explains one number.
type Explanation struct {
	Title string `json:"title"`
	// Means has the causes by version, Do the remedies.
	Means []Said   `json:"means"`
	Do    []string `json:"do"`
}

// Said is true of some versions of HAProxy; all, if Versions is empty.
type Said struct {
	Versions string `json:"versions,omitempty"`
	Text     string `json:"text"`
}

// always is an Explanation that is true of all versions.
func always(means, do string) Explanation {
	return Explanation{Means: []Said{{"", means}}, Do: []string{do}}
}

// spop is the number that st= adds to a DISCONNECT's status.
const spop = 256

// St explains a status of the SPOE filter; ok is false if there is no such.
func St(n int) (e Explanation, ok bool) {
	if e, ok = filter[n]; ok {
		e.Title = fmt.Sprintf("st=%d: %s", n, e.Title)
		return e, true
	}
	if n < spop {
		return e, false
	}
	s := codec.Status(n - spop)
	text := "a status that SPOP does not define: the agent's own"
	if _, known := disconnect[int(s)]; known {
		text = s.String()
	}
	if e, ok = errors[int(s)]; !ok {
		e = always("The agent has ended the connection with a DISCONNECT of its own making while requests waited on it.",
			"Ask the agent's documentation or its log for the number.")
	}
	e.Title = fmt.Sprintf("st=%d: a SPOP error, 256 + status %d: %s", n, s, text)
	return e, true
}

// Disconnect explains the status of a DISCONNECT; ok is false if SPOP does not
// define it.
func Disconnect(n int) (e Explanation, ok bool) {
	if e, ok = disconnect[n]; ok {
		e.Title = fmt.Sprintf("DISCONNECT with status %d: %s", n, codec.Status(n))
	}
	return e, ok
}

// Line is a parsed SPOE line of HAProxy's log.
type Line struct {
	Agent  string
	Group  bool // a group rather than an event
	Name   string
	Stream string
	Status int
	// Timers are reqT, qT, wT, resT and pT in milliseconds; pT alone from 3.1 on.
	Timers []string
	// Counters are idles/applets, sending/waiting and errors/processed; the last
	// alone from 3.1 on.
	Counters []string
}

var spoeLine = regexp.MustCompile(`SPOE: \[([^\]]*)\] <(EVENT|GROUP):([^>]*)> sid=(\d+) st=(\d+)(?: ([-\d/]+))?(?: (\d+/\d+))?(?: (\d+/\d+))?(?: (\d+/\d+))?`)

// Parse reads a SPOE line; ok is false if it is none.
func Parse(line string) (l Line, ok bool) {
	m := spoeLine.FindStringSubmatch(line)
	if m == nil {
		return l, false
	}
	l = Line{Agent: m[1], Group: m[2] == "GROUP", Name: m[3], Stream: m[4]}
	var err error
	if l.Status, err = strconv.Atoi(m[5]); err != nil {
		return l, false
	}
	if m[6] != "" {
		l.Timers = strings.Split(m[6], "/")
	}
	for _, c := range m[7:] {
		if c != "" {
			l.Counters = append(l.Counters, c)
		}
	}
	return l, true
}

var (
	timerNames   = []string{"encoding the messages (reqT)", "waiting to be sent (qT)", "waiting for the ACK (wT)", "reading the ACK (resT)", "in all (pT)"}
	counterNames = []string{"idle applets / applets", "streams that wait to send / for an ACK", "errors / events processed"}
)

// Words returns the line's facts in words, without its status.
func (l Line) Words() []string {
	kind := "event"
	if l.Group {
		kind = "group"
	}
	words := []string{fmt.Sprintf("agent %s, %s %s, HAProxy's stream %s", l.Agent, kind, l.Name, l.Stream)}
	names := timerNames
	switch len(l.Timers) {
	case 5:
	case 1:
		names = timerNames[4:] // from 3.1 on
	default:
		names = nil
	}
	for i, name := range names {
		text := l.Timers[i] + " ms"
		if l.Timers[i] == "-1" {
			text = "-1: interrupted before its end"
		}
		words = append(words, name+": "+text)
	}
	names = nil
	switch len(l.Counters) {
	case 3:
		names = counterNames
	case 1:
		names = counterNames[2:] // from 3.1 on
	}
	for i, name := range names {
		words = append(words, name+": "+l.Counters[i])
	}
	return words
}
