// Package telemetry makes the providers of traces, metrics and log records.
//
// Call [Start] and pass the providers to the code that makes spans, metrics and log
// records. After that code stops, call Shutdown, which sends the remaining data.
//
// Prometheus can always read the metrics. OpenTelemetry's own variables name other
// destinations of traces, metrics and log records: OTEL_TRACES_EXPORTER,
// OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT and the others
// of its specification. Without these variables the package makes no span and no log
// record, and sends no metric.
package telemetry
