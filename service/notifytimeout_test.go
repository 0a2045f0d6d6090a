package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
)

// TestNotifyTimeout: the agent's last resort does not come before the deadline in the
// settings, and a program may set its own.
func TestNotifyTimeout(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 30 * time.Second,
		80 * time.Second:       160 * time.Second,
	} {
		assert.Equal(t, want, notifyTimeout(new(spoe.Agent), timeout))
	}
	assert.Equal(t, time.Second, notifyTimeout(&spoe.Agent{NotifyTimeout: time.Second}, time.Minute))
}
