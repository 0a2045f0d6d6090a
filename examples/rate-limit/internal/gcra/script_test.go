//go:build unix

package gcra_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
)

// hour is an interval so long that no key gets any nearer while a test runs.
const hour = int64(time.Hour / gcra.Tick)

func charge(t *testing.T, client *redis.Client, charges []gcra.Charge) []int64 {
	t.Helper()
	var keys []string
	var args []any
	for _, c := range charges {
		a := c.Args()
		keys, args = append(keys, c.Key), append(args, a[:]...)
	}
	ahead, err := client.Eval(t.Context(), gcra.Script, keys, args...).Int64Slice()
	require.NoError(t, err)
	require.Len(t, ahead, len(charges))
	return ahead
}

func connect(t *testing.T, s *redistest.Server) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { client.Close() })
	return client
}

// Redis and a table decide the same about the same requests.
func TestScriptIsTable(t *testing.T) {
	client := connect(t, redistest.Start(t))
	table := gcra.NewTable(1000)
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for i := range 3000 {
		charges := make([]gcra.Charge, random.IntN(4))
		for j := range charges {
			burst := 1 + random.Int64N(20)
			// The key decides on the burst, as the limit's name is part of it.
			key := strconv.Itoa(j) + "/" + strconv.Itoa(random.IntN(5)) + "/" + strconv.FormatInt(burst, 10)
			charges[j] = gcra.Charge{Key: key, Interval: hour, Burst: burst, Cost: 1 + random.Int64N(min(burst, 3)), DryRun: random.IntN(4) == 0}
		}
		local := make([]int64, len(charges))
		table.Charge(charges, local)
		for j, ahead := range charge(t, client, charges) {
			require.InDelta(t, local[j], ahead, float64(hour/10), "request %d, %+v", i, charges[j])
			require.Equal(t, charges[j].Over(local[j]), charges[j].Over(ahead), "request %d, %+v", i, charges[j])
		}
		if gcra.Refused(charges, local) {
			refused++
		}
	}
	assert.Greater(t, refused, 300)
	assert.Less(t, refused, 2700)
}

// A clock that goes back by an hour leaves TATs that are an hour ahead: a client is
// refused until its burst is over, not for an hour.
func TestClockGoesBack(t *testing.T) {
	client := connect(t, redistest.Start(t))
	c := []gcra.Charge{{Key: "k", Interval: int64(20 * time.Millisecond / gcra.Tick), Burst: 5, Cost: 1}}
	now, err := client.Time(t.Context()).Result()
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "k", now.Add(time.Hour).UnixMicro()*4, 0).Err())
	assert.True(t, gcra.Refused(c, charge(t, client, c)))
	require.Eventually(t, func() bool { return !gcra.Refused(c, charge(t, client, c)) }, 30*time.Second, 5*time.Millisecond)
	ttl, err := client.PTTL(t.Context(), "k").Result()
	require.NoError(t, err)
	assert.LessOrEqual(t, ttl, 100*time.Millisecond)
}

// A clock that goes forward gives a client one burst more.
func TestClockGoesForward(t *testing.T) {
	client := connect(t, redistest.Start(t))
	c := []gcra.Charge{{Key: "k", Interval: hour, Burst: 5, Cost: 1}}
	now, err := client.Time(t.Context()).Result()
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "k", now.Add(-time.Hour).UnixMicro()*4, 0).Err())
	for i := range 6 {
		assert.Equal(t, i == 5, gcra.Refused(c, charge(t, client, c)), "request %d", i)
	}
}

// A key is gone once it says nothing any more.
func TestKeysExpire(t *testing.T) {
	client := connect(t, redistest.Start(t))
	charge(t, client, []gcra.Charge{{Key: "k", Interval: int64(10 * time.Millisecond / gcra.Tick), Burst: 5, Cost: 2}})
	require.Eventually(t, func() bool { return client.DBSize(t.Context()).Val() == 0 }, 30*time.Second, 5*time.Millisecond)
}
