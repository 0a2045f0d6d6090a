// Package telemetry makes the providers of traces, metrics and log records.
//
// Call [Start] and pass the providers to the code that makes spans, metrics and log
// records. When that code has stopped, call Shutdown, which sends the rest.
//
// Metrics are always kept for Prometheus. OpenTelemetry's own variables say where
// traces, metrics and log records go besides: OTEL_TRACES_EXPORTER,
// OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT and the others
// of its specification. Where they say nothing, no span and no log record is made, and
// no metric is sent.
package telemetry
