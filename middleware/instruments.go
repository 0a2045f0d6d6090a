package middleware

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// instrumentation is the scope of all telemetry of this package.
const instrumentation = "github.com/spoke-go/spoke/middleware"

var systemSPOP = semconv.RPCSystemNameKey.String("spop")

// meterOf returns the package's meter; a nil p is OpenTelemetry's global one.
func meterOf(p metric.MeterProvider) metric.Meter {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	return p.Meter(instrumentation, metric.WithSchemaURL(semconv.SchemaURL))
}

// made returns an instrument, which works even if there is an error, and passes the
// error to OpenTelemetry's error handler.
func made[T any](instrument T, err error) T {
	if err != nil {
		otel.Handle(err)
	}
	return instrument
}

// upDown returns a count that can fall, and that a callback observes.
func upDown(meter metric.Meter, name, unit, description string) metric.Int64ObservableUpDownCounter {
	return made(meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description)))
}

// counter returns a count that only grows, and that a callback observes.
func counter(meter metric.Meter, name, unit, description string) metric.Int64ObservableCounter {
	return made(meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description)))
}

// onCollect registers f to observe an instrument whenever metrics are collected, as
// long as the program runs. Several functions may observe one instrument: their values
// add up, unlike those of the instrument's own callbacks.
func onCollect(meter metric.Meter, instrument metric.Observable, f func(metric.Observer)) {
	made(meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		f(o)
		return nil
	}, instrument))
}

func methodAttributes(method string, more ...attribute.KeyValue) []attribute.KeyValue {
	return append([]attribute.KeyValue{systemSPOP, semconv.RPCMethod(method)}, more...)
}
