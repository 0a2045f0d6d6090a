package telemetry

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// destinations are where spans and metrics go; what is nil goes nowhere.
type destinations struct {
	spans   sdktrace.SpanExporter
	sampler sdktrace.Sampler // nil for what OTEL_TRACES_SAMPLER says
	metrics sdkmetric.Reader

	tracesTo, metricsTo string // the same in words
}

const (
	nowhere = "none"
	otlp    = "otlp"
)

// destinationsOf reads OpenTelemetry's variables, from the process's own
// environment, as its packages do.
func destinationsOf(ctx context.Context, stdout io.Writer) (destinations, error) {
	d := destinations{tracesTo: nowhere, metricsTo: nowhere}
	// Go's SDK does not know this one, which the specification has.
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return d, nil
	}
	if err := d.traces(ctx, stdout); err != nil {
		return d, fmt.Errorf("cannot export traces: %w (OTEL_TRACES_EXPORTER=%s: it takes otlp, console or none)", err, os.Getenv("OTEL_TRACES_EXPORTER"))
	}
	if err := d.readMetrics(ctx, stdout); err != nil {
		return d, fmt.Errorf("cannot export metrics: %w (OTEL_METRICS_EXPORTER=%s: it takes otlp, console, prometheus or none)", err, os.Getenv("OTEL_METRICS_EXPORTER"))
	}
	return d, nil
}

func (d *destinations) traces(ctx context.Context, stdout io.Writer) (err error) {
	d.tracesTo = named("OTEL_TRACES_EXPORTER", otlp)
	var options []autoexport.SpanOption
	if !asked("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
		d.tracesTo = "stdout, by OTEL_TRACES_SAMPLER"
		if !asked("OTEL_TRACES_SAMPLER") {
			d.tracesTo = fmt.Sprintf("stdout, one in %v", fewEvery)
			d.sampler = fewTraces()
		}
		options = append(options, autoexport.WithFallbackSpanExporter(func(context.Context) (sdktrace.SpanExporter, error) {
			return stdouttrace.New(stdouttrace.WithWriter(stdout))
		}))
	}
	d.spans, err = autoexport.NewSpanExporter(ctx, options...)
	if err == nil && autoexport.IsNoneSpanExporter(d.spans) {
		d.spans = nil // a provider that makes no spans costs less than one that drops them
	}
	return err
}

func (d *destinations) readMetrics(ctx context.Context, stdout io.Writer) (err error) {
	d.metricsTo = named("OTEL_METRICS_EXPORTER", otlp)
	var options []autoexport.MetricOption
	if !asked("OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") {
		d.metricsTo = "stdout"
		options = append(options, autoexport.WithFallbackMetricReader(func(context.Context) (sdkmetric.Reader, error) {
			exporter, err := stdoutmetric.New(stdoutmetric.WithWriter(stdout))
			return sdkmetric.NewPeriodicReader(notEmpty{exporter}), err
		}))
	}
	d.metrics, err = autoexport.NewMetricReader(ctx, options...)
	if err == nil && autoexport.IsNoneMetricReader(d.metrics) {
		d.metrics = nil
	}
	return err
}

// asked reports whether any of the variables has been set.
func asked(names ...string) bool {
	for _, name := range names {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

func named(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
