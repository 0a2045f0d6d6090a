// Package latewriter writes behind its callers: a log whose reader is slow holds up no
// handler.
package latewriter

import (
	"io"
	"sync"
	"time"
)

// maxWaiting is how much waits at most, in bytes.
const maxWaiting = 4 << 20

// Writer writes to another writer, in order, and keeps no caller waiting. A text above its
// limit is lost as a whole. Its methods may be called concurrently.
type Writer struct {
	to io.Writer

	mu      sync.Mutex // guards what follows
	waiting [][]byte
	size    int           // bytes that wait or are being written
	written chan struct{} // closed when nothing waits; nil where nothing does
	lost    int64
}

// New returns a Writer to another one.
func New(to io.Writer) *Writer { return &Writer{to: to} }

// Write implements io.Writer. It always reports success.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size+len(p) > maxWaiting {
		w.lost++
		return len(p), nil
	}
	w.waiting, w.size = append(w.waiting, append([]byte(nil), p...)), w.size+len(p)
	if w.written == nil {
		w.written = make(chan struct{})
		go w.write() // ends when nothing waits; Flush waits for it
	}
	return len(p), nil
}

// write writes until nothing waits.
func (w *Writer) write() {
	for {
		w.mu.Lock()
		texts := w.waiting
		w.waiting = nil
		if len(texts) == 0 {
			close(w.written)
			w.written = nil
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		for _, p := range texts {
			_, err := w.to.Write(p)
			w.mu.Lock()
			w.size -= len(p)
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
