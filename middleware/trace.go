package middleware

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/spoe"
)

const instrumentation = "github.com/spoke-go/spoke/middleware"

// TraceConfig configures [TraceWith]. The zero TraceConfig is that of [Trace].
type TraceConfig struct {
	// TracerProvider makes the spans. Default: OpenTelemetry's global one.
	TracerProvider trace.TracerProvider
	// Propagator finds the caller's span in the message's arguments, each field
	// in the argument of that name. Default: OpenTelemetry's global one or,
	// where that has no fields, W3C trace context.
	Propagator propagation.TextMapPropagator
	// ParentArg is the argument that has the caller's span in W3C form, where
	// HAProxy sends it under another name. Default: "traceparent".
	ParentArg string
}

// Trace makes an OpenTelemetry span of each message; see [TraceWith].
func Trace() spoe.Middleware { return TraceWith(TraceConfig{}) }

// TraceWith makes an OpenTelemetry span of each message, named like the message
// and of kind server, with the attributes of the semantic conventions for RPC
// (rpc.system.name is spop) and the NOTIFY's ids. Its parent is taken from the
// message's arguments: have HAProxy send `traceparent=req.hdr(traceparent)`. A
// handler that fails makes it an error span.
func TraceWith(cfg TraceConfig) spoe.Middleware {
	provider := cfg.TracerProvider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	t := &tracing{
		tracer: provider.Tracer(instrumentation, trace.WithSchemaURL(semconv.SchemaURL)),
		start:  []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		parent: cfg.ParentArg,
		// Asked for with the first message: programs set the global one late.
		propagator: sync.OnceValue(func() propagation.TextMapPropagator {
			return propagatorOf(cfg.Propagator)
		}),
	}
	return func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return t.serve(ctx, msg, acts, next)
		})
	}
}

func propagatorOf(p propagation.TextMapPropagator) propagation.TextMapPropagator {
	if p == nil {
		p = otel.GetTextMapPropagator()
	}
	if len(p.Fields()) == 0 {
		return propagation.TraceContext{}
	}
	return p
}

type tracing struct {
	tracer     trace.Tracer
	start      []trace.SpanStartOption
	parent     string
	propagator func() propagation.TextMapPropagator
}

func (t *tracing) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, next spoe.Handler) error {
	var carrier propagation.TextMapCarrier = argCarrier{msg.Args}
	if t.parent != "" {
		carrier = renamed{argCarrier{msg.Args}, t.parent}
	}
	ctx = t.propagator().Extract(ctx, carrier)
	ctx, span := t.tracer.Start(ctx, msg.Name, t.start...)
	defer span.End() // a panic passes through here; SpanEndOption has it noted
	if !span.IsRecording() {
		return next.ServeSPOE(ctx, msg, acts)
	}
	span.SetAttributes(messageAttributes(msg)...)
	panicked := true
	defer func() {
		if panicked {
			span.SetStatus(codes.Error, "panic")
			span.SetAttributes(semconv.ErrorTypeKey.String("panic"))
		}
	}()
	err := next.ServeSPOE(ctx, msg, acts)
	panicked = false
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
	}
	return err
}

func messageAttributes(msg *spoe.Message) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attribute.String("rpc.system.name", "spop"),
		semconv.RPCMethod(msg.Name),
		attribute.String("spop.engine_id", msg.EngineID()),
		attribute.Int64("spop.stream_id", int64(msg.StreamID())),
		attribute.Int64("spop.frame_id", int64(msg.FrameID())),
	}
	peer := msg.Peer()
	if peer == nil {
		return attrs
	}
	if _, ok := peer.(*net.UnixAddr); ok {
		return append(attrs, semconv.NetworkTransportUnix)
	}
	if ap, err := netip.ParseAddrPort(peer.String()); err == nil {
		attrs = append(attrs, semconv.NetworkTransportTCP,
			semconv.NetworkPeerAddress(ap.Addr().String()), semconv.NetworkPeerPort(int(ap.Port())))
	}
	return attrs
}

// errorType is the error.type of the conventions: a name of few values.
func errorType(err error) string {
	var p *spoe.PanicError
	switch {
	case errors.As(err, &p):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return reflect.TypeOf(err).String()
}

// argCarrier lets a propagator read a message's arguments. It is as large as a
// pointer, so that passing it on allocates nothing.
type argCarrier struct{ args *spoe.Args }

// Get returns the argument of that name.
func (c argCarrier) Get(key string) string {
	v, ok := c.args.Lookup(key)
	if !ok {
		return ""
	}
	return v.Str()
}

// Set does nothing: arguments are only read.
func (argCarrier) Set(string, string) {}

// Keys returns the names of the arguments.
func (c argCarrier) Keys() []string {
	keys := make([]string, 0, c.args.Len())
	for name := range c.args.All() {
		keys = append(keys, name)
	}
	return keys
}

// renamed is an argCarrier with W3C's traceparent in another argument.
type renamed struct {
	argCarrier
	parent string
}

func (c renamed) Get(key string) string {
	if key == "traceparent" {
		key = c.parent
	}
	return c.argCarrier.Get(key)
}
