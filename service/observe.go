package service

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// ObserveGauge adds a gauge whose value is the result of value at each scrape. value must
// be safe for concurrent use.
func ObserveGauge(meter metric.Meter, name, description string, value func() int64) error {
	_, err := meter.Int64ObservableGauge(name, metric.WithDescription(description), observed(value))
	return err
}

// ObserveCounter is ObserveGauge for a value that only grows.
func ObserveCounter(meter metric.Meter, name, description string, value func() int64) error {
	_, err := meter.Int64ObservableCounter(name, metric.WithDescription(description), observed(value))
	return err
}

func observed(value func() int64) metric.Int64ObservableOption {
	return metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(value())
		return nil
	})
}
