package middleware_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type handlerFunc = spoe.HandlerFunc

// setInt sets txn.name.
func setInt(name string, v int64) handlerFunc {
	return func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		return acts.SetInt(spoe.VarScopeTransaction, name, v)
	}
}

// panics panics.
var panics = handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { panic("boom") })

// waits waits until its context ends.
var waits = handlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
	<-ctx.Done()
	return ctx.Err()
})

// byName has messages handled by their name.
type byName map[string]spoe.Handler

func (m byName) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	return m[msg.Name].ServeSPOE(ctx, msg, acts)
}

// newMessage returns a message that no agent received.
func newMessage(tb testing.TB, name string, args ...spoetest.Argument) *spoe.Message {
	tb.Helper()
	msg, err := spoetest.NewMessage(name, args...)
	require.NoError(tb, err)
	return msg
}

// quiet is an agent whose log goes nowhere, for tests with many failures.
func quiet(h spoe.Handler) *spoe.Agent {
	return &spoe.Agent{Handler: h, Logger: slog.New(slog.DiscardHandler)}
}

// meters are metrics in memory.
type meters struct {
	*sdkmetric.MeterProvider
	tb     testing.TB
	reader *sdkmetric.ManualReader
}

func newMeters(tb testing.TB) *meters {
	reader := sdkmetric.NewManualReader()
	return &meters{sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), tb, reader}
}

// metric returns a metric, or a zero one.
func (m *meters) metric(name string) metricdata.Metrics {
	m.tb.Helper()
	var rm metricdata.ResourceMetrics
	require.NoError(m.tb, m.reader.Collect(context.Background(), &rm))
	for _, sm := range rm.ScopeMetrics {
		for _, got := range sm.Metrics {
			if got.Name == name {
				return got
			}
		}
	}
	return metricdata.Metrics{}
}

// sums returns the points of a sum, each by its attributes.
func (m *meters) sums(name string) map[string]int64 {
	m.tb.Helper()
	points := map[string]int64{}
	sum, _ := m.metric(name).Data.(metricdata.Sum[int64])
	for _, p := range sum.DataPoints {
		points[attributesText(p.Attributes)] += p.Value
	}
	return points
}

// histogram returns the points of a histogram, each by its attributes.
func (m *meters) histogram(name string) map[string]metricdata.HistogramDataPoint[float64] {
	m.tb.Helper()
	points := map[string]metricdata.HistogramDataPoint[float64]{}
	h, _ := m.metric(name).Data.(metricdata.Histogram[float64])
	for _, p := range h.DataPoints {
		points[attributesText(p.Attributes)] = p
	}
	return points
}

// attributesText is the set without rpc.system.name, which must be spop.
func attributesText(set attribute.Set) string {
	text := ""
	for _, kv := range set.ToSlice() {
		if kv.Key == "rpc.system.name" && kv.Value.AsString() == "spop" {
			continue
		}
		text += fmt.Sprintf(" %s=%v", kv.Key, kv.Value.String())
	}
	if text == "" {
		return ""
	}
	return text[1:]
}
