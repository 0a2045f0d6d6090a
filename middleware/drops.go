package middleware

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// drops counts messages that no handler got, as the metric
// spop.server.dropped_messages.
type drops struct {
	counter metric.Int64Counter
	options methods[[]metric.AddOption]
}

// newDrops returns the count of messages that were dropped for this reason. The first
// drop makes it, because programs set OpenTelemetry's global provider late.
func newDrops(p metric.MeterProvider, reason string, more ...attribute.KeyValue) func() *drops {
	return sync.OnceValue(func() *drops {
		d := &drops{counter: made(meterOf(p).Int64Counter("spop.server.dropped_messages",
			metric.WithUnit("{message}"),
			metric.WithDescription("Messages that were acknowledged and that no handler got.")))}
		d.options.make = func(method string) []metric.AddOption {
			attrs := append([]attribute.KeyValue{attribute.String("spop.drop.reason", reason)}, more...)
			return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(methodAttributes(method, attrs...)...))}
		}
		return d
	})
}

func (d *drops) add(ctx context.Context, message string) {
	d.counter.Add(ctx, 1, d.options.get(message)...)
}
