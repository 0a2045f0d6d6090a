package telemetry

import (
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

const (
	// fewEvery is the average time between two traces, even on a busy site.
	fewEvery = 100 * time.Millisecond

	// fewAtOnce is the number of traces that may come together after a quiet time, so
	// that someone who tries the agent sees each request. A ratio could not promise
	// that.
	fewAtOnce = 10
)

// fewTraces samples at a bounded rate. It keeps a caller's decision not to sample, but
// not a decision to sample: that comes in a header which any visitor can send through
// many proxies.
func fewTraces() sdktrace.Sampler {
	few := bounded{rate.NewLimiter(rate.Every(fewEvery), fewAtOnce)}
	return sdktrace.ParentBased(few, sdktrace.WithRemoteParentSampled(few))
}

type bounded struct{ rate *rate.Limiter }

func (b bounded) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	decision := sdktrace.Drop
	if b.rate.Allow() {
		decision = sdktrace.RecordAndSample
	}
	return sdktrace.SamplingResult{
		Decision:   decision,
		Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState(),
	}
}

func (b bounded) Description() string { return "one in " + fewEvery.String() }
