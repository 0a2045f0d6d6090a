package inspect

import (
	"net/url"
	"strings"
	"sync/atomic"
)

const (
	samplesPerSecond = 50   // for a viewer, and as many at once after a quiet second
	readsPerSecond   = 1000 // the same for samples that a filter on values reads
	viewerQueue      = 100  // samples that wait for a viewer's browser
)

// A viewer is one open page.
type viewer struct {
	filter  filter
	samples chan *sample

	sent, reads pace

	skipped atomic.Uint64 // samples left out by the bounds above
	lost    atomic.Uint64 // samples for which the browser was too slow
}

// A filter says which samples a viewer wants; an empty field wants all.
type filter struct {
	message, outcome string
	arg, variable    string // in lower case; parts of name=value
	paused           bool
}

func newViewer(q url.Values) *viewer {
	return &viewer{
		samples: make(chan *sample, viewerQueue),
		filter: filter{
			message: q.Get("message"), outcome: q.Get("outcome"), paused: q.Get("paused") != "",
			arg: strings.ToLower(q.Get("arg")), variable: strings.ToLower(q.Get("var")),
		},
	}
}

// offer gives the viewer a sample of the event if the viewer wants it and its bounds
// allow it. It never blocks. Many goroutines call it.
func (v *viewer) offer(p *Page, e *event) {
	f := &v.filter
	if f.paused || f.message != "" && f.message != e.msg.Name || f.outcome != "" && f.outcome != e.outcome.String() {
		return
	}
	now := e.start + e.took
	if !v.sent.allows(now, samplesPerSecond) || f.readsValues() && !v.reads.take(now, readsPerSecond) {
		v.skipped.Add(1)
		return
	}
	s := e.sample(p)
	if !f.wants(s) {
		return
	}
	if !v.sent.take(now, samplesPerSecond) {
		v.skipped.Add(1)
		return
	}
	select {
	case v.samples <- s:
	default:
		v.lost.Add(1)
	}
}

func (f *filter) readsValues() bool { return f.arg != "" || f.variable != "" }

// wants reports whether the filter matches the sample. Its secrets are hidden, so that
// a filter cannot guess them.
func (f *filter) wants(s *sample) bool {
	return has(s.Args, f.arg) && has(s.Vars, f.variable)
}

func has(fields []field, part string) bool {
	if part == "" {
		return true
	}
	for _, f := range fields {
		if strings.Contains(strings.ToLower(f.Name+"="+f.Value), part) {
			return true
		}
	}
	return false
}
