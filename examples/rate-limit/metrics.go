package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// instrumentation is the scope of the program's own metrics; those of SPOE are package
// middleware's.
const instrumentation = "github.com/spoke-go/spoke/examples/rate-limit"

// metrics are the agent's own:
//
//	ratelimit.decisions         by limit, outcome (allowed, refused, dry_run) and source
//	ratelimit.redis.up          1, or 0 while Redis is not asked
//	ratelimit.redis.changes     of that, by what it became: up or down
//	ratelimit.redis.requests    requests that Redis was asked about
//	ratelimit.redis.round_trips that this took
//	ratelimit.redis.failures    round trips that failed
//	ratelimit.keys              keys that the agent remembers, by source: cache or local
type metrics struct {
	decisions, changes metric.Int64Counter
}

type decision struct{ outcome, source string }

func newMetrics(meter metric.Meter, l *limiter) (*metrics, error) {
	decisions, err1 := meter.Int64Counter("ratelimit.decisions",
		metric.WithUnit("{decision}"), metric.WithDescription("Decisions of each limit about a request."))
	changes, err2 := meter.Int64Counter("ratelimit.redis.changes",
		metric.WithUnit("{change}"), metric.WithDescription("Changes between asking Redis and not."))
	keys, err3 := meter.Int64ObservableGauge("ratelimit.keys",
		metric.WithUnit("{key}"), metric.WithDescription("Keys that the agent remembers."))
	up, err4 := meter.Int64ObservableGauge("ratelimit.redis.up",
		metric.WithDescription("1, or 0 while Redis is not asked."))
	requests, err5 := meter.Int64ObservableCounter("ratelimit.redis.requests",
		metric.WithUnit("{request}"), metric.WithDescription("Requests that Redis was asked about."))
	trips, err6 := meter.Int64ObservableCounter("ratelimit.redis.round_trips",
		metric.WithUnit("{round_trip}"), metric.WithDescription("Round trips to Redis."))
	failures, err7 := meter.Int64ObservableCounter("ratelimit.redis.failures",
		metric.WithUnit("{round_trip}"), metric.WithDescription("Round trips to Redis that failed."))
	_, err8 := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(keys, int64(l.refused.Len()), metric.WithAttributes(sourceKey.String(fromCache)))
		o.ObserveInt64(keys, int64(l.local.Len()), metric.WithAttributes(sourceKey.String(fromLocal)))
		if s := l.store; s != nil {
			o.ObserveInt64(up, s.Up())
			o.ObserveInt64(requests, s.Requests.Load())
			o.ObserveInt64(trips, s.RoundTrips.Load())
			o.ObserveInt64(failures, s.Failures.Load())
		}
		return nil
	}, keys, up, requests, trips, failures)
	return &metrics{decisions: decisions, changes: changes}, errors.Join(err1, err2, err3, err4, err5, err6, err7, err8)
}

const sourceKey = attribute.Key("ratelimit.source")

// count counts what each limit decides. Without any ahead none does.
func (m *metrics) count(ctx context.Context, uses []use, charges []gcra.Charge, ahead []int64, source string) {
	if ahead == nil {
		outcome := "allowed"
		if source == isClosed {
			outcome = "refused"
		}
		for _, u := range uses {
			m.decisions.Add(ctx, 1, u.limit.counted[decision{outcome, source}])
		}
		return
	}
	for i, u := range uses {
		outcome := "allowed"
		switch {
		case charges[i].Refuses(ahead[i]):
			outcome = "refused"
		case charges[i].Over(ahead[i]):
			outcome = "dry_run"
		}
		m.decisions.Add(ctx, 1, u.limit.counted[decision{outcome, source}])
	}
}

// counters returns how the decisions of a limit are counted, made once: this is in the
// path of every request.
func counters(limit string) map[decision]metric.AddOption {
	options := make(map[decision]metric.AddOption)
	for _, outcome := range []string{"allowed", "refused", "dry_run"} {
		for _, source := range []string{fromRedis, fromCache, fromLocal, isOpen, isClosed} {
			options[decision{outcome, source}] = metric.WithAttributeSet(attribute.NewSet(
				attribute.String("ratelimit.limit", limit), attribute.String("ratelimit.outcome", outcome), sourceKey.String(source)))
		}
	}
	return options
}

// changed counts and is one line of the log.
func (l *limiter) changed(reason error) {
	state := "up"
	if reason != nil {
		state = "down"
		l.log.Error("Redis is slow or gone", "reason", reason, "until then", l.policy().config.Gone)
	} else {
		l.log.Info("Redis answers again")
	}
	l.metrics.changes.Add(context.Background(), 1, metric.WithAttributes(attribute.String("ratelimit.redis.state", state)))
}
