// Package otlpgrpc adds OTLP over gRPC to a program that imports it:
//
//	import _ "github.com/spoke-go/spoke/service/otlpgrpc"
//
// OTEL_EXPORTER_OTLP_PROTOCOL=grpc then chooses it. OTLP over HTTP needs no import.
package otlpgrpc

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/spoke-go/spoke/service/internal/telemetry"
)

func init() {
	telemetry.GRPC = telemetry.OTLP{
		Spans:   func(ctx context.Context) (sdktrace.SpanExporter, error) { return otlptracegrpc.New(ctx) },
		Metrics: func(ctx context.Context) (sdkmetric.Exporter, error) { return otlpmetricgrpc.New(ctx) },
		Logs:    func(ctx context.Context) (sdklog.Exporter, error) { return otlploggrpc.New(ctx) },
	}
}
