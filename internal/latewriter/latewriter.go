// Package latewriter writes behind its callers: a log whose reader is slow holds up no
// handler.
package latewriter

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// Writer writes to another writer, in order, and keeps no caller waiting. A text above its
// limit is lost as a whole. Its methods may be called concurrently.
type Writer struct {
	to    io.Writer
	limit int // of size

	mu      sync.Mutex // guards the fields below
	waiting []entry
	size    int           // bytes that wait or are being written
	written chan struct{} // closed when nothing waits; nil where nothing does
	lost    int64
}

type entry struct {
	to   io.Writer
	text []byte
}

// New returns a Writer to another one. At most limit bytes wait.
func New(to io.Writer, limit int) *Writer { return &Writer{to: to, limit: limit} }

// Write implements io.Writer. It always reports success.
func (w *Writer) Write(p []byte) (int, error) {
	w.Queue(w.to, bytes.Clone(p))
	return len(p), nil
}

// Queue writes p to another writer than New's, in turn with all other texts. The Writer
// keeps p.
func (w *Writer) Queue(to io.Writer, p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size+len(p) > w.limit {
		w.lost++
		return
	}
	w.waiting, w.size = append(w.waiting, entry{to, p}), w.size+len(p)
	if w.written == nil {
		w.written = make(chan struct{})
		go w.write() // ends when nothing waits; Flush waits for it
	}
}

// write writes until nothing waits.
func (w *Writer) write() {
	for {
		w.mu.Lock()
		entries := w.waiting
		w.waiting = nil
		if len(entries) == 0 {
			close(w.written)
			w.written = nil
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		for _, e := range entries {
			_, err := e.to.Write(e.text)
			w.mu.Lock()
			w.size -= len(e.text)
			if err != nil {
				w.lost++
			}
			w.mu.Unlock()
		}
	}
}

// Flush waits until everything is written, for that long at most.
func (w *Writer) Flush(limit time.Duration) {
	w.mu.Lock()
	written := w.written
	w.mu.Unlock()
	if written == nil {
		return
	}
	end := time.NewTimer(limit)
	defer end.Stop()
	select {
	case <-written:
	case <-end.C:
	}
}

// Lost returns how many writes were above the limit or failed.
func (w *Writer) Lost() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}
