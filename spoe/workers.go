package spoe

import (
	"context"
	"sync"
	"time"

	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

// workers are the goroutines that run handlers. There is one for each handler that runs.
// Idle workers are kept for the next NOTIFYs, and ended when they are not needed for a
// while.
type workers struct {
	wg sync.WaitGroup // all of them

	mu      sync.Mutex // guards what follows
	idle    []*worker  // the one used last is used first
	least   int        // the least len(idle) since the last trim
	trimmer *time.Timer
	stopped bool
}

type worker struct {
	conns  chan *conn // a connection that needs it; closed to end it
	ctxs   msgctx.Source
	spare  *job // a chain of jobs to use again, spares of them
	spares int
}

// trimEvery is the interval at which workers that were idle all the time end.
const trimEvery = 5 * time.Second

// wake makes a worker answer the NOTIFYs of c.
func (ws *workers) wake(c *conn) {
	ws.mu.Lock()
	if n := len(ws.idle); n > 0 {
		w := ws.idle[n-1]
		ws.idle[n-1] = nil
		ws.idle = ws.idle[:n-1]
		ws.least = min(ws.least, n-1)
		ws.mu.Unlock()
		w.conns <- c // takes one without blocking
		return
	}
	ws.wg.Add(1)
	ws.mu.Unlock()
	w := &worker{conns: make(chan *conn, 1)}
	go w.run(ws, c) // ends by trim or stop, which waits for it
}

func (w *worker) run(ws *workers, c *conn) {
	defer ws.wg.Done()
	for ok := true; ok; c, ok = <-w.conns {
		c.work(w)
		w.giveJobs()
		w.ctxs.Rest()
		if !ws.park(w) {
			return
		}
	}
}

// park makes a worker idle; it returns false if the worker should end.
func (ws *workers) park(w *worker) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.stopped {
		return false
	}
	ws.idle = append(ws.idle, w)
	if ws.trimmer == nil {
		ws.least = len(ws.idle)
		ws.trimmer = time.AfterFunc(trimEvery, ws.trim)
	}
	return true
}

// trim ends the workers that were not needed since the last time.
func (ws *workers) trim() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.stopped {
		return
	}
	ws.endLocked(ws.least)
	ws.least = len(ws.idle)
	if ws.least == 0 {
		ws.trimmer = nil
		return
	}
	ws.trimmer.Reset(trimEvery)
}

// endLocked ends n idle workers, those idle longest.
func (ws *workers) endLocked(n int) {
	for _, w := range ws.idle[:n] {
		close(w.conns)
	}
	kept := copy(ws.idle, ws.idle[n:])
	clear(ws.idle[kept:])
	ws.idle = ws.idle[:kept]
}

// stop ends all workers and waits for them, unless abandoned has ended: then
// handlers are running that do not heed their context.
func (ws *workers) stop(abandoned context.Context) {
	ws.mu.Lock()
	ws.stopped = true
	ws.endLocked(len(ws.idle))
	if ws.trimmer != nil {
		ws.trimmer.Stop()
	}
	ws.mu.Unlock()
	if abandoned.Err() != nil {
		return
	}
	ws.wg.Wait()
}
