package main

import (
	"context"
	"errors"
	"sync/atomic"

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
type metrics struct{ decisions, changes metric.Int64Counter }

const sourceKey = attribute.Key("ratelimit.source")

func newMetrics(meter metric.Meter, l *limiter) (*metrics, error) {
	m := new(metrics)
	errs := make([]error, 4, 7)
	m.decisions, errs[0] = meter.Int64Counter("ratelimit.decisions", metric.WithUnit("{decision}"), metric.WithDescription("Decisions of each limit about a request."))
	m.changes, errs[1] = meter.Int64Counter("ratelimit.redis.changes", metric.WithUnit("{change}"), metric.WithDescription("Changes between asking Redis and not."))
	_, errs[2] = meter.Int64ObservableGauge("ratelimit.keys", metric.WithUnit("{key}"), metric.WithDescription("Keys that the agent remembers."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(l.refused.Len()), metric.WithAttributes(sourceKey.String(fromCache)))
			o.Observe(int64(l.local.Len()), metric.WithAttributes(sourceKey.String(fromLocal)))
			return nil
		}))
	if l.store == nil {
		return m, errors.Join(errs...)
	}
	_, errs[3] = meter.Int64ObservableGauge("ratelimit.redis.up", metric.WithDescription("1, or 0 while Redis is not asked."), observed(l.store.Up))
	for name, counter := range map[string]*atomic.Int64{"requests": &l.store.Requests, "round_trips": &l.store.RoundTrips, "failures": &l.store.Failures} {
		_, err := meter.Int64ObservableCounter("ratelimit.redis."+name, metric.WithDescription("See the README."), observed(counter.Load))
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

func observed(value func() int64) metric.Int64ObservableOption {
	return metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(value())
		return nil
	})
}

// decision is how a limit has decided, and who has counted.
type decision struct{ outcome, source string }

// count counts what each limit decides. Without any ahead all decide the same.
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
