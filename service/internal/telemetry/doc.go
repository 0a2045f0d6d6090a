// Package telemetry makes the providers of traces, metrics and log records.
//
// Life cycle: [Start], hand the providers to what makes spans, metrics and log
// records, and Shutdown when nothing makes any more, which sends what has not been sent.
//
// Metrics are always kept for Prometheus. OpenTelemetry's own variables say where
// traces, metrics and log records go besides: OTEL_TRACES_EXPORTER,
// OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT and the others
// of its specification. Where they say nothing, no span and no log record is made, and
// no metric is sent.
package telemetry
