package middleware

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/semaphore"

	"github.com/spoke-go/spoke/spoe"
)

// ErrShed is the error of a message that [Limit] has turned away.
var ErrShed error = shedError{}

type shedError struct{}

func (shedError) Error() string { return "middleware: too many messages are being handled" }

// ErrorType returns the error.type of telemetry, by which packages that do not
// import this one know the error.
func (shedError) ErrorType() string { return "shed" }

// LimitConfig configures [LimitWith]. The zero LimitConfig is that of
// Limit(1024).
type LimitConfig struct {
	// Max is how many messages are handled at once. Default: 1024.
	Max int
	// Wait is how long a message may wait for its turn. Default: not at all.
	// What it waits counts into a [Timeout] outside.
	Wait time.Duration
	// Var is a variable, such as "txn.overloaded", that is set to true where a
	// message is shed. To be shed is an answer then, no failure: nothing is
	// logged, and router.ErrorVar's variable is not set. Default: none; it is a
	// failure with [ErrShed].
	Var string
	// MeterProvider takes the count of what is shed, the metric
	// spop.server.dropped_messages with spop.drop.reason shed. Default:
	// OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
}

// Limit has at most n messages handled at once; see [LimitWith].
func Limit(n int) spoe.Middleware {
	if n <= 0 {
		panic(fmt.Sprintf("middleware: Limit(%d): nothing would ever be handled", n))
	}
	return LimitWith(LimitConfig{Max: n})
}

// LimitWith bounds how many messages are handled at once by all handlers that
// the returned middleware wraps. What is beyond is shed: it waits for Wait at
// most, and is then acknowledged without having been handled.
//
// A handler that has missed its deadline keeps its place until it returns, so
// that a bound on a database stays one.
func LimitWith(cfg LimitConfig) spoe.Middleware {
	if cfg.Max < 0 || cfg.Wait < 0 {
		panic(fmt.Sprintf("middleware: LimitConfig{Max: %d, Wait: %v}: neither can be negative", cfg.Max, cfg.Wait))
	}
	if cfg.Max == 0 {
		cfg.Max = 1024
	}
	l := &limit{
		places: semaphore.NewWeighted(int64(cfg.Max)),
		wait:   cfg.Wait,
		drops:  newDrops(cfg.MeterProvider, "shed"),
	}
	if cfg.Var != "" {
		v, err := parseVariable(cfg.Var)
		if err != nil {
			panic("middleware: LimitConfig.Var: " + err.Error())
		}
		l.variable = &v
	}
	return func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if !l.places.TryAcquire(1) {
				if err := l.acquire(ctx); err != nil {
					return l.shed(ctx, msg, acts, err)
				}
			}
			defer l.places.Release(1) // a panic passes through here
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
}

type limit struct {
	places   *semaphore.Weighted
	wait     time.Duration
	variable *variable // or nil
	drops    *drops
}

// acquire waits for a place. Its error is the context's if that has ended.
func (l *limit) acquire(ctx context.Context) error {
	if l.wait == 0 {
		return ErrShed
	}
	waiting, cancel := context.WithTimeoutCause(ctx, l.wait, ErrShed)
	defer cancel()
	if l.places.Acquire(waiting, 1) == nil {
		return nil
	}
	return context.Cause(waiting)
}

func (l *limit) shed(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, err error) error {
	l.drops.add(ctx, msg.Name)
	if l.variable == nil || !errors.Is(err, ErrShed) {
		return err
	}
	return acts.SetBool(l.variable.scope, l.variable.name, true)
}
