package servicetest

import (
	"regexp"
	"testing"

	"github.com/spoke-go/spoke/internal/lockedbuffer"
)

// Buffer takes a program's output. Any number of goroutines may use it.
type Buffer struct{ text lockedbuffer.Buffer }

// NewBuffer returns an empty buffer.
func NewBuffer() *Buffer { return new(Buffer) }

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) { return b.text.Write(p) }

// String returns all that was written.
func (b *Buffer) String() string { return b.text.String() }

// Wait returns the first match, with its groups, of the text that was or will be
// written.
func (b *Buffer) Wait(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var m []string
	if !b.text.Wait(Patience, func(text string) bool { m = re.FindStringSubmatch(text); return m != nil }) {
		t.Fatalf("nothing matches %v in:\n%s", re, b)
	}
	return m
}
