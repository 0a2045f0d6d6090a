package fleet

import (
	"context"
	"crypto/sha1" // the name that Redis gives a script
	"encoding/hex"
	"runtime"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

var scriptName = func() string {
	sum := sha1.Sum([]byte(gcra.Script))
	return hex.EncodeToString(sum[:])
}()

// ask makes round trips, one at a time, until ctx ends.
func (s *Store) ask(ctx context.Context) {
	var batch []*call
	for {
		batch = batch[:0]
		select {
		case c := <-s.calls:
			batch = append(batch, c)
		case <-ctx.Done():
			return
		}
		runtime.Gosched() // so that requests that are about to come join
	gather:
		for len(batch) < together {
			select {
			case c := <-s.calls:
				batch = append(batch, c)
			default:
				break gather
			}
		}
		batch = slices.DeleteFunc(batch, func(c *call) bool { return c.left.Load() })
		if len(batch) > 0 {
			s.roundTrip(ctx, batch)
		}
	}
}

// roundTrip charges requests by one pipeline.
func (s *Store) roundTrip(ctx context.Context, batch []*call) {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	s.Requests.Add(int64(len(batch)))
	if again := s.send(ctx, batch, redis.Pipeliner.EvalSha, scriptName); len(again) > 0 {
		// Redis restarted, or another one took its place.
		s.send(ctx, again, redis.Pipeliner.Eval, gcra.Script)
	}
	var failure error
	for _, c := range batch {
		if c.err != nil {
			failure = c.err
		}
		close(c.done)
	}
	s.count(failure)
}

type eval func(p redis.Pipeliner, ctx context.Context, script string, keys []string, args ...any) *redis.Cmd

// send returns the calls for which Redis has no script.
func (s *Store) send(ctx context.Context, batch []*call, eval eval, script string) (again []*call) {
	pipe := s.Client.Pipeline()
	replies := make([]*redis.Cmd, len(batch))
	for i, c := range batch {
		keys, args := make([]string, len(c.charges)), make([]any, 0, 3*len(c.charges))
		for j, charge := range c.charges {
			a := charge.Args()
			keys[j], args = charge.Key, append(args, a[:]...)
		}
		replies[i] = eval(pipe, ctx, script, keys, args...)
	}
	s.RoundTrips.Add(1)
	_, _ = pipe.Exec(ctx) // the replies have the errors
	for i, c := range batch {
		if c.ahead, c.err = replies[i].Int64Slice(); redis.HasErrorPrefix(c.err, "NOSCRIPT") {
			again = append(again, c)
		}
	}
	return again
}
