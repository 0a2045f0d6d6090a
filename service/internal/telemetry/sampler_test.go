package telemetry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func TestFewTraces(t *testing.T) {
	caller := func(flags trace.TraceFlags) context.Context {
		return trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags, Remote: true,
		}))
	}
	for _, tt := range []struct {
		name   string
		parent context.Context
		want   int
	}{
		{"without a caller's trace", t.Context(), 610},
		{"a caller's that is sampled", caller(trace.FlagsSampled), 610},
		{"a caller's that is not", caller(0), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sampler := fewTraces()
				sampled := 0
				for range 6000 { // a minute
					time.Sleep(time.Minute / 6000)
					if sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: tt.parent}).Decision == sdktrace.RecordAndSample {
						sampled++
					}
				}
				assert.InDelta(t, tt.want, sampled, 1)
			})
		})
	}
}
