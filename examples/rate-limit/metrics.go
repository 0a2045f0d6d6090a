package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
	"github.com/spoke-go/spoke/service"
)

// instrumentation is the scope of the program's own metrics; package middleware has those
// of SPOE.
const instrumentation = "github.com/spoke-go/spoke/examples/rate-limit"

// metrics are the agent's own:
//
//	ratelimit.decisions         by limit, outcome (allowed, refused, dry_run) and source
//	ratelimit.redis.gone        1 while Redis is not asked, otherwise 0
//	ratelimit.redis.changes     changes of that value, by the new state: back or gone
//	ratelimit.redis.requests    requests that Redis was asked about
//	ratelimit.redis.round_trips round trips for these requests
//	ratelimit.redis.failures    round trips that failed
//	ratelimit.cache.keys        keys of clients that are refused from memory
//	ratelimit.local.keys        keys of clients that the agent counts itself
type metrics struct{ decisions, changes metric.Int64Counter }

func newMetrics(meter metric.Meter, l *limiter) (*metrics, error) {
	decisions, err1 := meter.Int64Counter("ratelimit.decisions", metric.WithDescription("Decisions of each limit about a request."))
	changes, err2 := meter.Int64Counter("ratelimit.redis.changes", metric.WithDescription("Changes between asking Redis and not."))
	err := errors.Join(err1, err2,
		service.ObserveGauge(meter, "ratelimit.cache.keys", "Keys of clients that are refused from memory.", l.refused.Len),
		service.ObserveGauge(meter, "ratelimit.local.keys", "Keys of clients that the agent counts itself.", l.local.Len))
	if s := l.store; s != nil {
		err = errors.Join(err,
			service.ObserveGauge(meter, "ratelimit.redis.gone", "1 while Redis is not asked, otherwise 0.", s.Gone.Load),
			service.ObserveCounter(meter, "ratelimit.redis.requests", "Requests that Redis was asked about.", s.Requests.Load),
			service.ObserveCounter(meter, "ratelimit.redis.round_trips", "Round trips to Redis.", s.RoundTrips.Load),
			service.ObserveCounter(meter, "ratelimit.redis.failures", "Round trips to Redis that failed.", s.Failures.Load))
	}
	return &metrics{decisions, changes}, err
}

// decision is the outcome of a limit, and the source of its count.
type decision struct{ outcome, source string }

// count counts the decision of each limit. If ahead is empty, all limits decide the same.
func (m *metrics) count(ctx context.Context, p *policy, charges []gcra.Charge, ahead []int64, source string) {
	for i, c := range charges {
		outcome := "allowed"
		switch {
		case source == isClosed, ahead != nil && c.Refuses(ahead[i]):
			outcome = "refused"
		case ahead != nil && c.Over(ahead[i]):
			outcome = "dry_run"
		}
		m.decisions.Add(ctx, 1, p.limits[c.Limit].counted[decision{outcome, source}])
	}
}

// counters returns the options that count the decisions of a limit. They are made once,
// because they are in the path of every request.
func counters(limit string) map[decision]metric.AddOption {
	options := make(map[decision]metric.AddOption)
	for _, outcome := range []string{"allowed", "refused", "dry_run"} {
		for _, source := range []string{fromRedis, fromCache, fromLocal, isOpen, isClosed} {
			options[decision{outcome, source}] = metric.WithAttributeSet(attribute.NewSet(
				attribute.String("ratelimit.limit", limit), attribute.String("ratelimit.outcome", outcome), attribute.String("ratelimit.source", source)))
		}
	}
	return options
}

// changed counts a change of Redis, and logs a line.
func (l *limiter) changed(reason error) {
	state := "back"
	if reason != nil {
		state = "gone"
		l.log.Error("Redis is slow or gone", "reason", reason, "gone", l.policy().config.Gone)
	} else {
		l.log.Info("Redis answers again")
	}
	l.metrics.changes.Add(context.Background(), 1, metric.WithAttributes(attribute.String("ratelimit.redis.state", state)))
}
