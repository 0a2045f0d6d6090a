package gcra_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

func TestTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := gcra.NewTable(10)
		second := int64(time.Second / gcra.Tick)
		limit := gcra.Charge{Key: "k", Interval: second, Burst: 3, Cost: 1}
		request := func(charges ...gcra.Charge) bool {
			ahead := make([]int64, len(charges))
			table.Charge(charges, ahead)
			return !gcra.Refused(charges, ahead)
		}
		for range 3 {
			assert.True(t, request(limit), "the burst")
		}
		for range 10 {
			assert.False(t, request(limit), "a refused request costs nothing")
		}
		time.Sleep(time.Second)
		assert.True(t, request(limit))
		assert.False(t, request(limit))

		time.Sleep(time.Hour)
		dear := limit
		dear.Cost = 2
		assert.True(t, request(dear))
		assert.False(t, request(dear))
		assert.True(t, request(limit))

		other := gcra.Charge{Key: "other", Interval: second, Burst: 1, Cost: 1}
		assert.False(t, request(limit, other), "one of them refuses")
		assert.True(t, request(other), "and the other has not counted it")
		dry := limit
		dry.DryRun = true
		assert.True(t, request(dry), "a dry run refuses nothing")

		ahead := []int64{0}
		table.Ahead([]gcra.Charge{limit}, ahead)
		assert.Equal(t, 3*second, ahead[0])
		assert.Equal(t, second, limit.Wait(ahead[0]))
		assert.EqualValues(t, 0, limit.Remaining(ahead[0]))
		assert.EqualValues(t, 1, limit.Remaining(ahead[0]-second))
	})
}

func TestShare(t *testing.T) {
	whole := gcra.Charge{Key: "k", Interval: 100, Burst: 10, Cost: 1}
	third := whole.Share(3)
	assert.EqualValues(t, 300, third.Interval)
	assert.EqualValues(t, 3, third.Burst)
	assert.EqualValues(t, 1, whole.Share(100).Burst, "one request gets through")
}

// The keys that are worth most stay: keys whose TAT is furthest ahead.
func TestTableIsBounded(t *testing.T) {
	table := gcra.NewTable(1000)
	far := gcra.Charge{Key: "far", Interval: hour, Burst: 5, Cost: 5}
	table.Charge([]gcra.Charge{far}, []int64{0})
	for i := range 100_000 {
		table.Charge([]gcra.Charge{{Key: strconv.Itoa(i), Interval: 4, Burst: 5, Cost: 1}}, []int64{0})
	}
	assert.EqualValues(t, 1000, table.Len())
	ahead := []int64{0}
	table.Ahead([]gcra.Charge{far}, ahead)
	assert.True(t, far.Over(ahead[0]))
}

func TestTableConcurrently(t *testing.T) {
	table := gcra.NewTable(1000)
	c := []gcra.Charge{{Key: "k", Interval: hour, Burst: 100, Cost: 1}}
	var passed atomic.Int64
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 50 {
				ahead := []int64{0}
				if table.Charge(c, ahead); !gcra.Refused(c, ahead) {
					passed.Add(1)
				}
			}
		})
	}
	running.Wait()
	assert.EqualValues(t, 100, passed.Load())
}
