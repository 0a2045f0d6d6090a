// Package reporter calls functions that may be slow where nothing waits for them.
package reporter

import (
	"sync"
	"sync/atomic"
	"time"
)

// Reporter calls functions that may be slow, one after the other, from a goroutine of its
// own: log lines, Agent.ConnState, Message.Report. So a log sink that takes half a second,
// or that blocks, delays neither an ACK nor a connection nor Shutdown. The queue is
// bounded; further calls are dropped and counted.
type Reporter struct {
	// Max is the maximum number of calls that wait.
	Max     int
	dropped atomic.Uint64

	mu      sync.Mutex // guards the fields below
	queue   []func()
	running bool
	idle    chan struct{} // closed when the queue is empty; made by the waiting goroutine
}

// Add queues f, or drops it where Max calls wait.
func (r *Reporter) Add(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= r.Max {
		r.dropped.Add(1)
		return
	}
	r.queue = append(r.queue, f)
	if !r.running {
		r.running = true
		go r.run() // ends when the queue is empty; Wait waits for it
	}
}

func (r *Reporter) run() {
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
func (r *Reporter) next() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.running, r.queue = false, nil
		if r.idle != nil {
			close(r.idle)
			r.idle = nil
		}
		return nil
	}
	f := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	return f
}

// Wait waits until the queue is empty, or for d.
func (r *Reporter) Wait(d time.Duration) {
	r.mu.Lock()
	if !r.running {
		r.mu.Unlock()
		return
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-idle:
	case <-t.C:
	}
}

// Drop empties the queue without calling the functions.
func (r *Reporter) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped.Add(uint64(len(r.queue)))
	r.queue = nil
}

// Dropped returns how many calls were dropped.
func (r *Reporter) Dropped() uint64 { return r.dropped.Load() }
