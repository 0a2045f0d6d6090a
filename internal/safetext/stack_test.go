package safetext_test

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/safetext"
)

func TestStack(t *testing.T) {
	own := debug.Stack()
	assert.Equal(t, string(own), safetext.Stack(own))
	assert.Empty(t, safetext.Stack(nil))
	assert.Equal(t, "main.f\\x1b[2J\n\tf.go:1\\r\\xff\n", safetext.Stack([]byte("main.f\x1b[2J\n\tf.go:1\r\xff")))

	long := safetext.Stack([]byte(strings.Repeat("\x00", 1<<20)))
	assert.Len(t, long, 1<<10)
	many := safetext.Stack([]byte(strings.Repeat("\tmain.go:1\n", 1<<20)))
	assert.Len(t, many, 8<<10-8<<10%len("\tmain.go:1\n"))
	assert.True(t, strings.HasSuffix(many, "main.go:1\n"))
}
