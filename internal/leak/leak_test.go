package leak_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/leak"
)

func TestGoroutines(t *testing.T) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go forgotten(done, ended)
	// The test's own goroutine counts, too, but for its call of the function.
	assert.Contains(t, leak.Within(time.Millisecond), "leak_test.forgotten")
	close(done)
	<-ended
	assert.NotContains(t, leak.Goroutines(), "leak_test.forgotten")
}

func forgotten(done, ended chan struct{}) {
	defer close(ended)
	<-done
}
