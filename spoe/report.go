package spoe

import (
	"sync"
	"sync/atomic"
	"time"
)

// reporter calls functions that may be slow, one after the other, from a goroutine of its
// own: log lines, Agent.ConnState, Message.Report. So a log sink that takes half a second,
// or that blocks, delays neither an ACK nor a connection nor Shutdown. The queue is
// bounded; further calls are dropped and counted.
type reporter struct {
	max     int
	dropped atomic.Uint64

	mu      sync.Mutex // guards what follows
	queue   []func()
	running bool
	idle    chan struct{} // closed when the queue is empty; made by the waiting goroutine
}

// The lengths of the queues.
const (
	maxLogs    = 256
	maxStates  = 16384
	maxReports = 4096
)

// add queues f; it reports whether the queue had space.
func (r *reporter) add(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= r.max {
		r.dropped.Add(1)
		return false
	}
	r.queue = append(r.queue, f)
	if !r.running {
		r.running = true
		go r.run() // ends when the queue is empty; wait waits for it
	}
	return true
}

func (r *reporter) run() {
	done := false
	defer func() { // f may panic, or end its goroutine by runtime.Goexit
		if !done {
			_ = recover()
			go r.run() // takes this goroutine's place
		}
	}()
	for f := r.next(); f != nil; f = r.next() {
		f()
	}
	done = true
}

// next takes the first function off the queue, or marks the reporter as idle.
func (r *reporter) next() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.running, r.queue = false, nil
		if r.idle != nil {
			closeLocked(r.idle)
		}
		return nil
	}
	f := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	return f
}

// wait waits until the queue is empty, or for d.
func (r *reporter) wait(d time.Duration) {
	r.mu.Lock()
	if !r.running {
		r.mu.Unlock()
		return
	}
	if r.idle == nil || isClosed(r.idle) {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	await(idle, d)
}

// tasks counts goroutines, so that the end of an agent can wait for them.
type tasks struct {
	mu   sync.Mutex // guards what follows
	n    int
	none chan struct{} // closed when n is 0; made by the waiting goroutine
}

func (k *tasks) add() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n++
}

func (k *tasks) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n--; k.n == 0 && k.none != nil {
		closeLocked(k.none)
	}
}

// wait waits until no goroutine is left, or for d.
func (k *tasks) wait(d time.Duration) {
	k.mu.Lock()
	if k.n == 0 {
		k.mu.Unlock()
		return
	}
	k.none = make(chan struct{})
	none := k.none
	k.mu.Unlock()
	await(none, d)
}

// await waits for done, or for d.
func await(done <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// drop empties the queue without calling the functions.
func (r *reporter) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped.Add(uint64(len(r.queue)))
	r.queue = nil
}

// awaitReports waits for the hooks and the reporters, a second for all of them, because
// none of these functions is the agent's own.
func (e *engine) awaitReports() {
	end := time.Now().Add(closeGrace)
	e.hooks.wait(closeGrace)
	for _, r := range []*reporter{&e.states, &e.reports, &e.logs} {
		r.wait(time.Until(end))
		r.drop()
	}
}

// Report calls f later, from a goroutine that no message waits for. A middleware uses it to
// log or to send a record. Reports are called one after the other; up to 4096 wait, and
// further ones are dropped and counted in Stats.ReportsDropped. At its end Run waits for
// them for a second.
//
// f must not use the message, its arguments or the actions: copy what it needs.
func (m *Message) Report(f func()) {
	if m.eng == nil { // no agent has received the message
		f()
		return
	}
	m.eng.reports.add(f)
}
