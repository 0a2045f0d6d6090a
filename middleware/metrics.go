package middleware

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/spoke-go/spoke/spoe"
)

// MetricsConfig configures [Metrics]. The zero MetricsConfig is the same as none.
type MetricsConfig struct {
	// MeterProvider takes the metrics. Default: OpenTelemetry's global one, as it
	// is when the first message comes.
	MeterProvider metric.MeterProvider
	// Buckets are the bounds of the durations' histogram in seconds, ascending.
	// Default: from 0.1 ms to 1 s, 1, 2.5 and 5 of each power of ten.
	Buckets []float64
}

// Metrics counts and times messages by OpenTelemetry, with names and units of the
// semantic conventions for RPC:
//
//	rpc.server.call.duration      histogram in s; failures have error.type
//	spop.server.active_messages   messages that are being handled
//
// Both have rpc.system.name, which is spop, and rpc.method, the message's name. A name
// that HAProxy would not take, and each name from the 257th on, counts as _OTHER.
// error.type is panic, timeout, canceled, shed, argument, or the kind of the handler's
// error; see docs/middleware.md. The duration of a handler that misses its deadline is
// its whole time, although its ACK left before.
//
// [Limit] and [Detach] count dropped messages in spop.server.dropped_messages, and
// [Cache] counts its look-ups in spop.cache.lookups; [AgentMetrics] has the others.
//
// Metrics panics on more than one configuration.
func Metrics(cfgs ...MetricsConfig) spoe.Middleware {
	cfg := only("Metrics", cfgs)
	cfg.Buckets = slices.Clone(cfg.Buckets)
	// The first message makes them, because programs set the global provider late.
	m := sync.OnceValue(func() *metrics { return newMetrics(cfg) })
	return func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return m().serve(ctx, msg, acts, next)
		})
	}
}

var defaultBuckets = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1,
}

type metrics struct {
	duration metric.Float64Histogram
	methods  methods[*methodMetrics]
}

type methodMetrics struct {
	active atomic.Int64
	attrs  []attribute.KeyValue
	ok     []metric.RecordOption
}

func newMetrics(cfg MetricsConfig) *metrics {
	meter := meterOf(cfg.MeterProvider)
	buckets := defaultBuckets
	if cfg.Buckets != nil {
		buckets = cfg.Buckets
	}
	m := &metrics{
		duration: made(meter.Float64Histogram("rpc.server.call.duration",
			metric.WithUnit("s"),
			metric.WithDescription("Measures the duration of an incoming Remote Procedure Call (RPC)."),
			metric.WithExplicitBucketBoundaries(buckets...))),
	}
	m.methods.make = func(method string) *methodMetrics {
		attrs := slices.Clip(methodAttributes(method))
		return &methodMetrics{attrs: attrs, ok: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}}
	}
	active := upDown(meter, "spop.server.active_messages", "{message}", "Messages that are being handled.")
	// The callback reads them at collection, so a message costs only an addition.
	onCollect(meter, active, func(o metric.Observer) {
		for _, mm := range m.methods.all() {
			o.ObserveInt64(active, mm.active.Load(), metric.WithAttributes(mm.attrs...))
		}
	})
	return m
}

func (m *metrics) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, next spoe.Handler) error {
	if !m.duration.Enabled(ctx) {
		return next.ServeSPOE(ctx, msg, acts)
	}
	mm := m.methods.get(msg.Name)
	mm.active.Add(1)
	err, start := errPanicked, time.Now()
	defer func() { // a panic passes through here
		took := time.Since(start).Seconds()
		mm.active.Add(-1)
		if err == nil {
			m.duration.Record(ctx, took, mm.ok...)
		} else {
			m.duration.Record(ctx, took, metric.WithAttributes(
				append(mm.attrs, semconv.ErrorTypeKey.String(errorType(err)))...))
		}
	}()
	err = next.ServeSPOE(ctx, msg, acts)
	return err
}
