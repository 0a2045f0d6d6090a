//go:build unix

package fleet_test

import (
	"context"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/fleet"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/freeaddr"
)

// patience bounds every wait, and is a deadline that only a Redis that is gone exceeds.
const patience = 20 * time.Second

const hour = int64(time.Hour / gcra.Tick)

// start returns a store that runs, and the changes that it tells of.
func start(t *testing.T, deadline time.Duration, addrs ...string) (*fleet.Store, <-chan error) {
	t.Helper()
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addrs, MaxRetries: -1, DialerRetries: 1,
		ContextTimeoutEnabled: true, ReadTimeout: deadline, WriteTimeout: deadline})
	changes := make(chan error, 100)
	s := fleet.New(client, "probe", deadline, func(reason error) { changes <- reason })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }() // the cleanup ends it and waits
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	return s, changes
}

func wait(t *testing.T, changes <-chan error) error {
	t.Helper()
	select {
	case reason := <-changes:
		return reason
	case <-time.After(patience):
		t.Fatal("no change of the store")
		return nil
	}
}

func one(key string, burst int64) []gcra.Charge {
	return []gcra.Charge{{Key: key, Interval: hour, Burst: burst, Cost: 1}}
}

// Any number of goroutines charge one key: exactly the burst gets through.
func TestExact(t *testing.T) {
	s, _ := start(t, patience, redistest.Start(t).Addr)
	var passed, failed atomic.Int64
	var running sync.WaitGroup
	for range 50 {
		running.Go(func() {
			for range 20 {
				c := one("k", 100)
				ahead, err := s.Charge(c)
				if err != nil {
					failed.Add(1)
				} else if !gcra.Refused(c, ahead) {
					passed.Add(1)
				}
			}
		})
	}
	running.Wait()
	assert.Zero(t, failed.Load())
	assert.EqualValues(t, 100, passed.Load())
	assert.EqualValues(t, 1000, s.Requests.Load())
}

// With 16 requests in flight four share a round trip at least.
func TestRoundTripsAreShared(t *testing.T) {
	s, _ := start(t, patience, redistest.Start(t).Addr)
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			for range 500 {
				_, err := s.Charge(one(strconv.Itoa(i), 1000))
				assert.NoError(t, err)
			}
		})
	}
	running.Wait()
	each := float64(s.RoundTrips.Load()) / float64(s.Requests.Load())
	t.Logf("%.3f round trips a request", each)
	assert.LessOrEqual(t, each, 0.25)
}

// The keys of a request are on one node, and those of many requests on all nodes.
func TestCluster(t *testing.T) {
	servers := redistest.StartCluster(t, 3)
	s, _ := start(t, patience, redistest.Addrs(servers)...)
	var running sync.WaitGroup
	for i := range 100 {
		running.Go(func() {
			tag := "{" + strconv.Itoa(i) + "}"
			c := append(one(tag+"a", 3), one(tag+"b", 2)...)
			for n := range 3 {
				ahead, err := s.Charge(c)
				if assert.NoError(t, err) {
					assert.Equal(t, n == 2, gcra.Refused(c, ahead))
				}
			}
		})
	}
	running.Wait()
	for _, server := range servers {
		client := redis.NewClient(&redis.Options{Addr: server.Addr})
		keys, err := client.DBSize(t.Context()).Result()
		require.NoError(t, err)
		require.NoError(t, client.Close())
		assert.Greater(t, keys, int64(20), "keys of one of three nodes, of 200")
	}
}

// A Redis that is gone is reported once, and once when it is back; it has forgotten the
// script by then.
func TestKilled(t *testing.T) {
	server := redistest.Start(t)
	s, changes := start(t, 2*time.Second, server.Addr)
	_, err := s.Charge(one("k", 10))
	require.NoError(t, err)
	for range 3 {
		server.Kill()
		require.Eventually(t, func() bool {
			_, err := s.Charge(one("k", 10))
			return err == fleet.ErrGone
		}, patience, time.Millisecond)
		require.Error(t, wait(t, changes))
		assert.EqualValues(t, 1, s.Gone.Load())
		server.Restart()
		require.NoError(t, wait(t, changes))
		require.Eventually(t, func() bool {
			_, err := s.Charge(one("k", 10))
			return err == nil
		}, patience, time.Millisecond)
	}
	assert.Empty(t, changes)
}

// A Redis that hangs is asked no more after a few deadlines.
func TestHanging(t *testing.T) {
	server := redistest.Start(t)
	s, changes := start(t, 100*time.Millisecond, server.Addr)
	require.Eventually(t, func() bool {
		_, err := s.Charge(one("k", 10))
		return err == nil
	}, patience, time.Millisecond)
	server.Hang()
	require.Eventually(t, func() bool {
		_, err := s.Charge(one("k", 10))
		return err == fleet.ErrGone
	}, patience, time.Millisecond)
	require.Error(t, wait(t, changes))
	server.GoOn()
	require.NoError(t, wait(t, changes))
}

// An address at which no Redis is costs the first requests no more than the deadline.
func TestNeverThere(t *testing.T) {
	s, changes := start(t, 2*time.Second, freeaddr.Find(t))
	require.Eventually(t, func() bool {
		_, err := s.Charge(one("k", 10))
		return err == fleet.ErrGone
	}, patience, time.Millisecond)
	require.Error(t, wait(t, changes))
}

// A replica answers and takes no charges: that is no Redis that is back.
func TestReplica(t *testing.T) {
	replica := redistest.StartReplica(t, redistest.Start(t))
	s, changes := start(t, 2*time.Second, replica.Addr)
	require.Eventually(t, func() bool {
		_, err := s.Charge(one("k", 10))
		return err == fleet.ErrGone
	}, patience, time.Millisecond)
	require.ErrorContains(t, wait(t, changes), "READONLY")
	client := redis.NewClient(&redis.Options{Addr: replica.Addr})
	defer client.Close()
	probes := regexp.MustCompile(`cmdstat_eval:calls=[5-9]`) // the first one may be a charge's
	require.Eventually(t, func() bool {
		info, err := client.Info(t.Context(), "commandstats").Result()
		return err == nil && probes.MatchString(info)
	}, patience, time.Millisecond)
	assert.Empty(t, changes)
	require.NoError(t, client.ReplicaOf(t.Context(), "NO", "ONE").Err())
	require.NoError(t, wait(t, changes))
}
