package middleware_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/pair"
)

func TestPairMetrics(t *testing.T) {
	m := newMeters(t)
	s := pair.New(pair.Config[int]{MaxEntries: 2, Size: func(int) int64 { return 10 }})
	registration, err := middleware.PairMetrics("tx", s.Stats, m)
	require.NoError(t, err)
	s.Put(1) // is evicted for the last
	s.Take(s.Put(2))
	s.Put(3)
	s.Put(4)
	s.Take("none")
	assert.Equal(t, map[string]int64{"spop.pair.name=tx": 2}, m.sums("spop.pair.waiting"))
	assert.Equal(t, map[string]int64{"spop.pair.name=tx": 20}, m.sums("spop.pair.waiting_bytes"))
	assert.Equal(t, map[string]int64{"spop.pair.name=tx": 1}, m.sums("spop.pair.missed"))
	s.Close()
	assert.Equal(t, map[string]int64{
		"spop.pair.name=tx spop.pair.outcome=taken": 1, "spop.pair.name=tx spop.pair.outcome=expired": 0,
		"spop.pair.name=tx spop.pair.outcome=evicted": 1, "spop.pair.name=tx spop.pair.outcome=shut_down": 2,
	}, m.sums("spop.pair.values"))
	require.NoError(t, registration.Unregister())
	assert.Empty(t, m.sums("spop.pair.waiting"))
}
