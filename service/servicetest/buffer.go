package servicetest

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Buffer takes a program's output. Any number of goroutines may use it.
type Buffer struct {
	mu   sync.Mutex // guards the fields below
	text bytes.Buffer
	grew chan struct{} // closed and replaced at each write
}

// NewBuffer returns an empty buffer.
func NewBuffer() *Buffer { return &Buffer{grew: make(chan struct{})} }

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.grew)
	b.grew = make(chan struct{})
	return b.text.Write(p)
}

// String returns all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Wait returns the first match, with its groups, of the text that was or will be
// written.
func (b *Buffer) Wait(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	limit := time.After(Patience)
	for {
		b.mu.Lock()
		m, grew := re.FindStringSubmatch(b.text.String()), b.grew
		b.mu.Unlock()
		if m != nil {
			return m
		}
		select {
		case <-grew:
		case <-limit:
			t.Fatalf("nothing matches %v in:\n%s", re, b)
		}
	}
}
