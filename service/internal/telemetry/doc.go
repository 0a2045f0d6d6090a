// Package telemetry makes the providers of traces and metrics.
//
// Life cycle: [Start], hand the providers to what makes spans and metrics, and
// Shutdown when nothing makes any more, which sends what has not been sent.
//
// Metrics are always kept for Prometheus. OpenTelemetry's own variables say where
// traces and metrics go besides: OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER,
// OTEL_EXPORTER_OTLP_ENDPOINT and the others of its specification. Where they say
// nothing, no span is made and no metric is sent.
package telemetry
