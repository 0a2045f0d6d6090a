package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// OTLP makes the exporters of OTLP over one protocol.
type OTLP struct {
	Spans   func(context.Context) (sdktrace.SpanExporter, error)
	Metrics func(context.Context) (sdkmetric.Exporter, error)
}

// GRPC is OTLP over gRPC. Package otlpgrpc of this module sets it, so that only a
// program that imports it has a client of gRPC.
var GRPC OTLP

// overHTTP is OTLP over HTTP. It is zero in a program that is built with the tag nootlp.
var overHTTP OTLP

// exporters returns where spans and metrics go; nil is nowhere. The variables are
// read from the process's environment, as OpenTelemetry's packages do.
func exporters(ctx context.Context, stdout io.Writer) (spans sdktrace.SpanExporter, reader sdkmetric.Reader, err error) {
	// Go's SDK does not know this variable, which the specification has.
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil, nil
	}
	which, err := choose("TRACES")
	switch {
	case err != nil:
		return nil, nil, err
	case which == "console":
		spans, err = stdouttrace.New(stdouttrace.WithWriter(stdout))
	case which == "http/protobuf":
		spans, err = overHTTP.Spans(ctx)
	case which == "grpc":
		spans, err = GRPC.Spans(ctx)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot export traces: %w", err)
	}
	var metrics sdkmetric.Exporter
	which, err = choose("METRICS")
	switch {
	case err != nil:
		return nil, nil, err
	case which == "console":
		metrics, err = stdoutmetric.New(stdoutmetric.WithWriter(stdout))
	case which == "http/protobuf":
		metrics, err = overHTTP.Metrics(ctx)
	case which == "grpc":
		metrics, err = GRPC.Metrics(ctx)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot export metrics: %w", err)
	}
	if metrics != nil {
		reader = sdkmetric.NewPeriodicReader(metrics)
	}
	return spans, reader, nil
}

// choose returns none, console or, for OTLP, the protocol.
func choose(signal string) (string, error) {
	name := "OTEL_" + signal + "_EXPORTER"
	exporter := os.Getenv(name)
	if exporter == "" {
		exporter = "none"
		if set("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") {
			exporter = "otlp"
		}
	}
	switch exporter {
	case "none", "console":
		return exporter, nil
	case "prometheus": // /metrics is there anyway
		if signal == "METRICS" {
			return "none", nil
		}
	case "otlp":
		return protocol(signal)
	}
	return "", fmt.Errorf("%s: %q is unknown: write otlp, console or none", name, exporter)
}

func protocol(signal string) (string, error) {
	name := "OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL"
	if !set(name) {
		name = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}
	switch p := os.Getenv(name); {
	case (p == "" || p == "http/protobuf") && overHTTP.Spans != nil:
		return "http/protobuf", nil
	case p == "" || p == "http/protobuf":
		return "", errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: this program was built without OTLP: build it without the tag nootlp")
	case p == "grpc" && GRPC.Spans != nil:
		return p, nil
	case p == "grpc":
		return "", fmt.Errorf("%s: this program was built without gRPC: write http/protobuf, or import github.com/spoke-go/spoke/service/otlpgrpc in its main package", name)
	default:
		return "", fmt.Errorf("%s: %q is unknown: write http/protobuf or grpc", name, p)
	}
}

// set reports whether any of the variables is set.
func set(names ...string) bool {
	for _, name := range names {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}
