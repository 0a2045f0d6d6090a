package fleet

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// count counts a round trip. After some in succession that failed, Redis is gone.
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

// probe runs the script without a charge, on every master.
func (s *Store) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	if cluster, ok := s.Client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return c.Eval(ctx, gcra.Script, nil).Err() })
	}
	return s.Client.Eval(ctx, gcra.Script, nil).Err()
}
