package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
)

// Config is what Start needs to know.
type Config struct {
	Service string // service.name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has another
	Version string // service.version, the same

	// Scrape has metrics kept for Prometheus, besides those that are exported.
	Scrape bool

	Stdout io.Writer
	Logger *slog.Logger // hears of exports that fail
}

// Telemetry is what spans and metrics are made with.
type Telemetry struct {
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider

	// Scrape answers Prometheus; nil unless the Config asked for it.
	Scrape http.Handler

	shutdowns []func(context.Context) error
}

// Start starts the exports. It fails if a variable of OpenTelemetry has a value
// that nothing can be made of; a collector that cannot be reached is logged, as
// often as an export fails, and holds up nothing.
func Start(ctx context.Context, c Config) (*Telemetry, error) {
	where, err := destinationsOf(ctx, c.Stdout)
	if err != nil {
		return nil, err
	}
	res, err := newResource(ctx, c.Service, c.Version)
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		c.Logger.Warn("telemetry failed", "error", err)
	}))
	t := &Telemetry{Traces: nooptrace.NewTracerProvider()}
	if where.spans != nil {
		t.startTraces(where, res)
	}
	if err := t.startMetrics(where, res, c.Scrape); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	c.Logger.Info("telemetry", "traces", where.tracesTo, "metrics", where.metricsTo)
	return t, nil
}

func (t *Telemetry) startTraces(where destinations, res *resource.Resource) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithBatcher(where.spans)}
	if where.sampler != nil {
		options = append(options, sdktrace.WithSampler(where.sampler))
	}
	provider := sdktrace.NewTracerProvider(options...)
	t.Traces = provider
	t.shutdowns = append(t.shutdowns, provider.Shutdown)
}

func (t *Telemetry) startMetrics(where destinations, res *resource.Resource, scrape bool) error {
	options := []sdkmetric.Option{sdkmetric.WithResource(res)}
	if where.metrics != nil {
		options = append(options, sdkmetric.WithReader(where.metrics))
	}
	if scrape {
		reader, handler, err := newScrape()
		if err != nil {
			return err
		}
		t.Scrape = handler
		options = append(options, sdkmetric.WithReader(reader))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.Metrics = provider
	t.shutdowns = append(t.shutdowns, provider.Shutdown)
	return nil
}

// Shutdown exports what has not been exported and ends the exports, all at the
// latest when ctx ends.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	errs := make(chan error, len(t.shutdowns))
	for _, shutdown := range t.shutdowns {
		go func() { errs <- shutdown(ctx) }() // waited for below
	}
	var all []error
	for range t.shutdowns {
		select {
		case err := <-errs:
			all = append(all, err)
		case <-ctx.Done(): // an exporter that does not heed it, such as a terminal that was stopped
			return errors.Join(append(all, context.Cause(ctx))...)
		}
	}
	return errors.Join(all...)
}
