// Package latewriter writes behind its callers: a log whose reader is slow holds up no
// handler.
package latewriter

import (
	"bytes"
	"io"
	"math"
	"sync"
	"time"

	"github.com/spoke-go/spoke/internal/reporter"
)

// Writer writes to another writer, in order, and keeps no caller waiting. A text above its
// limit is lost as a whole. Its methods may be called concurrently.
type Writer struct {
	to     io.Writer
	limit  int // of size
	writes reporter.Reporter

	mu   sync.Mutex // guards the fields below
	size int        // bytes that wait or are being written
	lost int64
}

// New returns a Writer to another one. At most limit bytes wait.
func New(to io.Writer, limit int) *Writer {
	return &Writer{to: to, limit: limit, writes: reporter.Reporter{Max: math.MaxInt}}
}

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
	w.size += len(p)
	w.writes.Add(func() {
		_, err := to.Write(p)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.size -= len(p)
		if err != nil {
			w.lost++
		}
	})
}

// Flush waits until everything is written, for that long at most.
func (w *Writer) Flush(limit time.Duration) { w.writes.Wait(limit) }

// Lost returns how many writes were above the limit or failed.
func (w *Writer) Lost() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}
