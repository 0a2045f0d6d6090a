package middleware_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

var errInstrument = errors.New("no such instrument")

// brokenMeters fail to make a histogram.
type brokenMeters struct{ noopmetric.MeterProvider }

func (brokenMeters) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{} }

type brokenMeter struct{ noopmetric.Meter }

func (brokenMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return noopmetric.Float64Histogram{}, errInstrument
}

// TestBrokenInstrument: OpenTelemetry's error handler gets the error, and messages are
// handled.
func TestBrokenInstrument(t *testing.T) {
	var got []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { got = append(got, err) }))
	defer otel.SetErrorHandler(before)
	h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: brokenMeters{}})(setInt("ok", 1))
	var acts spoe.Actions
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), &acts))
	assert.Equal(t, 1, acts.Len())
	assert.Equal(t, []error{errInstrument}, got)
}
