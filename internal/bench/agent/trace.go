package main

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// installTracing installs the SDK as a service does, with a batcher behind it,
// and a sampler that takes nothing. The process ends without flushing: there is
// nothing to flush.
func installTracing() {
	otel.SetTracerProvider(trace.NewTracerProvider(
		trace.WithSampler(trace.NeverSample()),
		trace.WithBatcher(tracetest.NewNoopExporter()),
	))
	otel.SetTextMapPropagator(propagation.TraceContext{})
}
