package load_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
)

func TestHistogram(t *testing.T) {
	var h load.Histogram
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Microsecond)
	}
	require.InEpsilon(t, 500*time.Microsecond, h.Quantile(0.5), 1.0/64)
	require.InEpsilon(t, 990*time.Microsecond, h.Quantile(0.99), 1.0/64)
	require.Equal(t, time.Millisecond, h.Max())
	require.InEpsilon(t, 500500*time.Nanosecond, h.Mean(), 1.0/64)

	var n uint64
	last := time.Duration(-1)
	for b, count := range h.Buckets() {
		assert.Greater(t, b[0], last)
		assert.LessOrEqual(t, b[1]-b[0], max(1, b[0]/64))
		last, n = b[0], n+count
	}
	require.Equal(t, h.Count(), n)

	var sum load.Histogram
	sum.Merge(&h)
	sum.Merge(&h)
	require.Equal(t, 2*h.Count(), sum.Count())
	require.Equal(t, h.Mean(), sum.Mean())
}

// One stall of a second among 999 answers of 1 ms: a client that asks every millisecond,
// and does not wait, meets it a thousand times.
func TestCorrected(t *testing.T) {
	var h load.Histogram
	h.AddN(time.Millisecond, 999)
	h.Add(time.Second)
	require.InEpsilon(t, time.Millisecond, h.Quantile(0.99), 1.0/64)
	c := h.Corrected(time.Millisecond)
	require.InEpsilon(t, 1999, c.Count(), 0.02)
	require.InEpsilon(t, 980*time.Millisecond, c.Quantile(0.99), 0.03)
	require.Equal(t, time.Second, c.Max())
	same := h.Corrected(0)
	require.Equal(t, h.Count(), same.Count())
}
