package reporter_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/reporter"
)

// The calls come one after the other, whatever they do; those beyond Max are dropped.
func TestReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reporter.Reporter{Max: 4}
		release := make(chan struct{})
		var calls []int
		r.Add(func() { <-release })
		synctest.Wait()
		for i, f := range []func(){func() {}, func() { panic("call") }, runtime.Goexit, func() {}, func() {}} {
			r.Add(func() {
				calls = append(calls, i)
				f()
			})
		}
		assert.EqualValues(t, 1, r.Dropped())
		start := time.Now()
		r.Wait(time.Second)
		assert.Equal(t, time.Second, time.Since(start), "a call blocks")
		close(release)
		r.Wait(time.Second)
		assert.Equal(t, []int{0, 1, 2, 3}, calls)
		assert.Equal(t, time.Second, time.Since(start), "none blocks")
		r.Wait(time.Second)
		assert.Equal(t, time.Second, time.Since(start), "none is queued")
	})
}

// Drop forgets the calls that wait, and counts them.
func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reporter.Reporter{Max: 4}
		release := make(chan struct{})
		r.Add(func() { <-release })
		synctest.Wait()
		r.Add(func() { t.Error("called") })
		r.Drop()
		close(release)
		r.Wait(time.Second)
		assert.EqualValues(t, 1, r.Dropped())
	})
}
