// Package lockedbuffer has a bytes.Buffer for several goroutines, such as a log in a test.
package lockedbuffer

import (
	"bytes"
	"sync"
	"time"
)

// Buffer is a bytes.Buffer that may be used concurrently. The zero Buffer is empty.
type Buffer struct {
	mu   sync.Mutex // guards the fields below
	b    bytes.Buffer
	grew chan struct{} // closed at the next write; nil where no goroutine waits
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.grew != nil {
		close(b.grew)
		b.grew = nil
	}
	return b.b.Write(p)
}

// Take returns all that was written since the last Take.
func (b *Buffer) Take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.String()
	b.b.Reset()
	return s
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Wait returns when ok is true of the text, or with false after limit.
func (b *Buffer) Wait(limit time.Duration, ok func(text string) bool) bool {
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		b.mu.Lock()
		if b.grew == nil {
			b.grew = make(chan struct{})
		}
		text, grew := b.b.String(), b.grew
		b.mu.Unlock()
		if ok(text) {
			return true
		}
		select {
		case <-grew:
		case <-end.C:
			return false
		}
	}
}
