package haproxytest

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// output keeps HAProxy's output, line by line, and wakes the goroutines that wait for
// more.
type output struct {
	mu      sync.Mutex
	lines   []string
	partial []byte        // a line that has not ended
	grew    chan struct{} // closed and replaced at each new line
}

func newOutput() *output { return &output{grew: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(b)
	for {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		o.partial = append(o.partial, line...)
		if !ended {
			break
		}
		o.lines = append(o.lines, string(o.partial))
		o.partial, b = o.partial[:0], rest
	}
	close(o.grew)
	o.grew = make(chan struct{})
	return n, nil
}

// all returns the lines so far and a channel that is closed when there are more.
func (o *output) all() (lines []string, grew <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lines[:len(o.lines):len(o.lines)], o.grew
}

// wait returns when ok is true of the lines, or with false after limit.
func (o *output) wait(limit time.Duration, ok func(lines []string) bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		lines, grew := o.all()
		if ok(lines) {
			return true
		}
		select {
		case <-grew:
		case <-deadline.C:
			return false
		}
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := strings.Join(o.lines, "\n")
	if len(o.partial) > 0 {
		text += "\n" + string(o.partial)
	}
	return text
}
