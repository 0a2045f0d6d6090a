package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	nooplog "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
)

// Config has the settings of Start.
type Config struct {
	Service string // service.name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has another
	Version string // service.version, the same
	Stdout  io.Writer
	Logger  *slog.Logger // for exports that fail
}

// Telemetry makes spans, metrics and log records.
type Telemetry struct {
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider
	Logs    log.LoggerProvider
	Scrape  http.Handler // answers Prometheus

	shutdowns []func(context.Context) error
}

// Start starts the exports. It fails if a variable of OpenTelemetry has a wrong value.
// If a collector cannot be reached, each export that fails logs it, and delays no
// request.
func Start(ctx context.Context, c Config) (*Telemetry, error) {
	to, err := newExporters(ctx, c.Stdout)
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
	t := &Telemetry{Traces: nooptrace.NewTracerProvider(), Logs: nooplog.NewLoggerProvider()}
	if to.spans != nil {
		t.startTraces(to.spans, res)
	}
	if to.logs != nil {
		t.startLogs(to.logs, res)
	}
	if err := t.startMetrics(to.metrics, to.spans != nil, res); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

func (t *Telemetry) startTraces(spans sdktrace.SpanExporter, res *resource.Resource) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithBatcher(spans)}
	if !set("OTEL_TRACES_SAMPLER") {
		options = append(options, sdktrace.WithSampler(fewTraces()))
	}
	provider := sdktrace.NewTracerProvider(options...)
	t.Traces = provider
	t.shutdowns = append(t.shutdowns, provider.Shutdown)
}

func (t *Telemetry) startLogs(records sdklog.Exporter, res *resource.Resource) {
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(records)))
	t.Logs = provider
	t.shutdowns = append(t.shutdowns, provider.Shutdown)
}

func (t *Telemetry) startMetrics(metrics sdkmetric.Exporter, spans bool, res *resource.Resource) error {
	scrape, handler, err := newScrape()
	if err != nil {
		return err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(scrape)}
	if metrics != nil {
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)))
	}
	if !spans { // only an exemplar needs it, and it costs each message time
		options = append(options, sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.Metrics, t.Scrape = provider, handler
	t.shutdowns = append(t.shutdowns, provider.Shutdown)
	return nil
}

// Shutdown exports the remaining data and ends the exports, at the end of ctx at the
// latest.
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
		case <-ctx.Done(): // an exporter that ignores ctx, such as a terminal that was stopped
			return errors.Join(append(all, context.Cause(ctx))...)
		}
	}
	return errors.Join(all...)
}
