package telemetry

import (
	"context"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// notEmpty has nothing exported where there is nothing: a program that cannot
// start says why, and no more.
type notEmpty struct{ sdkmetric.Exporter }

func (e notEmpty) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	if len(m.ScopeMetrics) == 0 {
		return nil
	}
	return e.Exporter.Export(ctx, m)
}
