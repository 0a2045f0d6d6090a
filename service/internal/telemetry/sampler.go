package telemetry

import (
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

const (
	// fewEvery is the time in which one trace is made, on average, however busy
	// the site is.
	fewEvery = 100 * time.Millisecond

	// fewAtOnce may come together after a quiet time, so that a person who tries the agent
	// out sees each request, which no ratio could promise.
	fewAtOnce = 10
)

// fewTraces samples at a bounded rate. A caller's decision not to sample holds,
// one to sample does not: it came in a header that many proxies let anybody
// send.
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
