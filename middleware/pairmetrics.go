package middleware

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/pair"
)

// PairMetrics adds the [pair.Stats] of a store to the metrics of p, or of
// OpenTelemetry's global provider if p is nil, until the registration ends:
//
//	spop.pair.waiting         values that can be taken
//	spop.pair.waiting_bytes   of these, by pair.Config.Size
//	spop.pair.values          values that left the store, by spop.pair.outcome: taken,
//	                          expired, evicted, shut_down
//	spop.pair.missed          second messages without a value
//
// Each has spop.pair.name, which is name. stats is a store's method Stats.
func PairMetrics(name string, stats func() pair.Stats, p metric.MeterProvider) (metric.Registration, error) {
	meter := meterOf(p)
	named := attribute.String("spop.pair.name", name)
	waiting := upDown(meter, "spop.pair.waiting", "{value}", "Values that wait for a later message.")
	size := upDown(meter, "spop.pair.waiting_bytes", "By", "Size of the values that wait for a later message.")
	values := counter(meter, "spop.pair.values", "{value}", "Values that have left the store.")
	missed := counter(meter, "spop.pair.missed", "{message}", "Messages for which no value was there.")
	only := metric.WithAttributes(named)
	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stats()
		o.ObserveInt64(waiting, int64(s.Waiting), only)
		o.ObserveInt64(size, s.Bytes, only)
		o.ObserveInt64(missed, int64(s.Missed), only)
		for _, left := range []struct {
			outcome string
			n       uint64
		}{{"taken", s.Taken}, {"expired", s.Expired}, {"evicted", s.Evicted}, {"shut_down", s.ShutDown}} {
			o.ObserveInt64(values, int64(left.n), metric.WithAttributes(named, attribute.String("spop.pair.outcome", left.outcome)))
		}
		return nil
	}, waiting, size, values, missed)
}
