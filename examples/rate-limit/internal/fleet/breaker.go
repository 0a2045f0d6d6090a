package fleet

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// count counts a round trip. After some failures in succession, Redis is gone.
func (s *Store) count(failure error) {
	if failure == nil {
		s.failing.Store(0)
		return
	}
	s.Failures.Add(1)
	if s.failing.Add(1) >= tolerated && s.Gone.CompareAndSwap(0, 1) {
		s.Changed(failure)
		s.tripped <- struct{}{}
	}
}

// recover looks for Redis while it is gone, until ctx ends.
func (s *Store) recover(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.tripped:
		case <-ctx.Done():
			return
		}
		for s.probe(ctx) != nil {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		s.Changed(nil)
		s.failing.Store(0)
		s.Gone.Store(0)
	}
}

// probe writes the probe key, which a replica refuses, and asks each master of a
// cluster whether the cluster is whole.
func (s *Store) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	if cluster, ok := s.Client.(*redis.ClusterClient); ok {
		if err := cluster.ForEachMaster(ctx, whole); err != nil {
			return err
		}
	}
	args := gcra.Charge{Interval: 1, Burst: 1, Cost: 1}.Args()
	return s.Client.Eval(ctx, gcra.Script, []string{s.ProbeKey}, args[:]...).Err()
}

var errNotWhole = errors.New("the cluster has lost a part of its slots")

func whole(ctx context.Context, master *redis.Client) error {
	info, err := master.ClusterInfo(ctx).Result()
	if err == nil && !strings.Contains(info, "cluster_state:ok") {
		err = errNotWhole
	}
	return err
}
