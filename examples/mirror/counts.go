package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// instrumentation is the scope of the program's own metrics and spans; package middleware
// has those of SPOE.
const instrumentation = "github.com/spoke-go/spoke/examples/mirror"

// Attributes of metrics.
const (
	targetKey  = attribute.Key("mirror.target")
	outcomeKey = attribute.Key("mirror.outcome")
)

// counts are the metrics, by target:
//
//	mirror.copies         by outcome: answered, timeout, failed, incomplete, looped
//	mirror.copy.duration  of copies that were sent, in seconds, by the answer's status
//
// Copies that did not fit into the queue are package middleware's
// spop.server.dropped_messages.
type counts struct {
	copies   metric.Int64Counter
	duration metric.Float64Histogram
}

func newCounts(p metric.MeterProvider) (*counts, error) {
	meter := p.Meter(instrumentation)
	copies, err1 := meter.Int64Counter("mirror.copies", metric.WithUnit("{copy}"),
		metric.WithDescription("Copies of requests, by target and what became of them."))
	duration, err2 := meter.Float64Histogram("mirror.copy.duration", metric.WithUnit("s"),
		metric.WithDescription("How long targets took for copies."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	return &counts{copies, duration}, errors.Join(err1, err2)
}

// prepare makes a target's counts appear before its first copy.
func (c *counts) prepare(target string) {
	for _, outcome := range []string{"answered", "timeout", "failed", "incomplete", "looped"} {
		c.copies.Add(context.Background(), 0, metric.WithAttributes(targetKey.String(target), outcomeKey.String(outcome)))
	}
}

func (c *counts) add(ctx context.Context, target, outcome string) {
	c.copies.Add(ctx, 1, metric.WithAttributes(targetKey.String(target), outcomeKey.String(outcome)))
}

// done counts a copy, even one that could not be sent, and returns its outcome.
func (c *counts) done(ctx context.Context, target string, took time.Duration, status int, err error) (outcome string) {
	switch {
	case err == nil:
		outcome = "answered"
		c.duration.Record(ctx, took.Seconds(), metric.WithAttributes(targetKey.String(target), semconv.HTTPResponseStatusCode(status)))
	case errors.Is(err, context.DeadlineExceeded):
		outcome = "timeout"
	default:
		outcome = "failed"
	}
	c.add(ctx, target, outcome)
	return outcome
}

// span begins the span of a copy. It is a child of the message's span, so it is in the
// request's trace, and is recorded if that is. The returned function ends it.
func (t *running) span(ctx context.Context) (context.Context, func(outcome string, status int)) {
	ctx, span := t.tracer.Start(ctx, "copy", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(targetKey.String(t.name), semconv.ServerAddress(t.url.Hostname())))
	return ctx, func(outcome string, status int) {
		span.SetAttributes(outcomeKey.String(outcome))
		if outcome == "answered" {
			span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		} else {
			span.SetAttributes(semconv.ErrorTypeKey.String(outcome))
			span.SetStatus(codes.Error, outcome)
		}
		span.End()
	}
}
