package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutlog"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// OTLP makes the exporters of OTLP over one protocol.
type OTLP struct {
	Spans   func(context.Context) (sdktrace.SpanExporter, error)
	Metrics func(context.Context) (sdkmetric.Exporter, error)
	Logs    func(context.Context) (sdklog.Exporter, error)
}

// GRPC is OTLP over gRPC. Package otlpgrpc of this module sets it, so that only a
// program that imports it has a client of gRPC.
var GRPC OTLP

// overHTTP is OTLP over HTTP. It is zero in a program that is built with the tag nootlp.
var overHTTP OTLP

// exporters send spans, metrics and log records; a nil exporter sends none.
type exporters struct {
	spans   sdktrace.SpanExporter
	metrics sdkmetric.Exporter
	logs    sdklog.Exporter
}

// newExporters reads the variables from the process's environment, as OpenTelemetry's
// packages do.
func newExporters(ctx context.Context, stdout io.Writer) (to exporters, err error) {
	// Go's SDK does not know this variable, which the specification has.
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return exporters{}, nil
	}
	if to.spans, err = newExporter(ctx, "TRACES", overHTTP.Spans, GRPC.Spans, func() (sdktrace.SpanExporter, error) {
		return stdouttrace.New(stdouttrace.WithWriter(stdout))
	}); err != nil {
		return exporters{}, err
	}
	if to.metrics, err = newExporter(ctx, "METRICS", overHTTP.Metrics, GRPC.Metrics, func() (sdkmetric.Exporter, error) {
		return stdoutmetric.New(stdoutmetric.WithWriter(stdout))
	}); err != nil {
		return exporters{}, err
	}
	to.logs, err = newExporter(ctx, "LOGS", overHTTP.Logs, GRPC.Logs, func() (sdklog.Exporter, error) {
		return stdoutlog.New(stdoutlog.WithWriter(stdout))
	})
	return to, err
}

// newExporter returns the exporter of a signal, TRACES, METRICS or LOGS, that the
// variables name, or nil.
func newExporter[E any](ctx context.Context, signal string, http, grpc func(context.Context) (E, error), console func() (E, error)) (e E, err error) {
	which, err := choose(signal)
	if err != nil {
		return e, err
	}
	switch which {
	case "console":
		e, err = console()
	case "http/protobuf":
		e, err = http(ctx)
	case "grpc":
		e, err = grpc(ctx)
	}
	if err != nil {
		return e, fmt.Errorf("cannot export %s: %w", strings.ToLower(signal), err)
	}
	return e, nil
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
	case "prometheus": // /metrics always exists
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
