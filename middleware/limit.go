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

// ErrShed is the error of a message that [Limit] rejects.
var ErrShed error = shedError{}

type shedError struct{}

func (shedError) Error() string { return "middleware: too many messages are being handled" }

// ErrorType returns the error.type of telemetry. Packages that do not import this one
// know the error by it.
func (shedError) ErrorType() string { return "shed" }

// LimitConfig configures [Limit]. The zero LimitConfig is the same as none.
type LimitConfig struct {
	// Wait is the maximum time that a message waits for its turn; a [Timeout] outside
	// includes it. Default: 0, no wait.
	Wait time.Duration
	// MinBytes is the minimum size of the arguments, in bytes, of the messages that
	// count; smaller messages are never rejected. It keeps large messages from taking
	// all places of a Limit inside this one. Default: all messages count.
	MinBytes int
	// Var is a variable, such as "txn.overloaded", that is set to true if the message
	// is rejected. The message counts as answered then: Log writes no line, and
	// router.ErrorVar's variable is not set. Default: none; the message fails with
	// [ErrShed].
	Var string
	// MeterProvider takes the count of rejected messages, the metric
	// spop.server.dropped_messages with spop.drop.reason shed. Default: OpenTelemetry's
	// global one.
	MeterProvider metric.MeterProvider
}

// Limit bounds the number of messages that all handlers which the returned middleware
// wraps handle at once. A message above n waits for LimitConfig.Wait at most, and is
// then rejected: the ACK leaves, and the handler is not called.
//
// A handler that missed its deadline counts until it returns, so that a bound on the
// use of a database holds.
//
// Limit panics if n is not positive, or on more than one configuration.
func Limit(n int, cfgs ...LimitConfig) spoe.Middleware {
	cfg := only("Limit", cfgs)
	if n <= 0 {
		panic(fmt.Sprintf("middleware: Limit(%d): no message would ever be handled: write a number above 0", n))
	}
	if cfg.Wait < 0 {
		panic(fmt.Sprintf("middleware: LimitConfig.Wait is %v: write how long a message may wait, or 0", cfg.Wait))
	}
	l := &limit{
		places: semaphore.NewWeighted(int64(n)),
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
			if cfg.MinBytes > 0 && len(msg.Args.Raw().Raw()) < cfg.MinBytes {
				return next.ServeSPOE(ctx, msg, acts)
			}
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
	drops    func() *drops
}

// acquire waits for a place. If the context ends, it returns the context's error.
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
	l.drops().add(ctx, msg.Name)
	if l.variable == nil || !errors.Is(err, ErrShed) {
		return err
	}
	return acts.SetBool(l.variable.scope, l.variable.name, true)
}
