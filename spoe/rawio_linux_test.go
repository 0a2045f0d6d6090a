package spoe

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// The timer that keeps the runtime's monitor awake runs as long as NOTIFYs come, and once
// more.
func TestPreemptionTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p preemption
		p.init()
		runs := func() bool {
			synctest.Wait()
			return p.armed.Load()
		}
		assert.False(t, runs())
		for range 2 {
			p.touch()
			assert.True(t, runs())
			time.Sleep(preemptEvery)
			assert.True(t, runs())
			p.touch()
			time.Sleep(preemptEvery)
			assert.True(t, runs())
			time.Sleep(preemptEvery - 1)
			assert.True(t, runs())
			time.Sleep(time.Nanosecond)
			assert.False(t, runs())
			time.Sleep(time.Minute)
			assert.False(t, runs())
		}
	})
}

func TestRawError(t *testing.T) {
	assert.NoError(t, rawError(0))
	assert.Equal(t, error(syscall.EAGAIN), rawError(syscall.EAGAIN))
	assert.Equal(t, error(syscall.EINTR), rawError(syscall.EINTR))
	assert.Equal(t, error(syscall.EPIPE), rawError(syscall.EPIPE))
	assert.Zero(t, testing.AllocsPerRun(10, func() { _ = rawError(syscall.EAGAIN) }))
}
