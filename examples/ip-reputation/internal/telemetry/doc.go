// Package telemetry exports the program's traces and metrics.
//
// Life cycle: [Start], hand the providers to what makes spans and metrics, and
// Shutdown when nothing makes any more, which sends what has not been sent.
//
// OpenTelemetry's own variables say where to: OTEL_TRACES_EXPORTER,
// OTEL_METRICS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT and the others of its
// specification mean what they mean everywhere, by package autoexport of
// OpenTelemetry's contrib repository. Where they say nothing, it is standard
// output, which must stay readable on a site with thousands of requests a
// second: few traces (see sampler.go), and the metrics once a minute.
package telemetry
