package middleware

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/spoe"
)

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
	// Attributes are those that all spans have, such as semconv.ServerAddress
	// and semconv.ServerPort of the agent.
	Attributes []attribute.KeyValue
	// ArgAttributes has arguments recorded, each as the attribute that its name
	// maps to: "src" as "client.address", "method" as "http.request.method",
	// "path" as "url.path", "ua" as "user_agent.original". Default: none.
	ArgAttributes map[string]string
	// NoVars leaves out the variables that the handler has set.
	NoVars bool
	// Secrets names arguments and variables whose values are not recorded,
	// besides those of fields that are tagged secret.
	Secrets []string
}

// Trace makes an OpenTelemetry span of each message; see [TraceWith].
func Trace() spoe.Middleware { return TraceWith(TraceConfig{}) }

// TraceWith makes an OpenTelemetry span of each message, of kind server and
// named like the message. Its parent is taken from the message's arguments: have
// HAProxy send `traceparent=req.hdr(traceparent)`, and what else the propagator
// asks for, such as `b3=req.hdr(b3)`.
//
// It has the attributes of the semantic conventions for RPC: rpc.system.name is
// spop, rpc.method the message's name, network.peer.address and
// network.peer.port are HAProxy's; besides, spop.engine_id, spop.stream_id and
// spop.frame_id. A handler that succeeds has each variable that it sets recorded
// as spop.var.txn.name or the like, and those that it unsets in spop.var.unset.
// One that fails makes it an error span with error.type and the error's text.
//
// The value of an argument or variable that any struct of the program has in a
// field tagged secret is not recorded, whatever the message; a variable shows as
// REDACTED. Errors and panics are recorded as they are: keep secrets out of
// their texts.
func TraceWith(cfg TraceConfig) spoe.Middleware {
	provider := cfg.TracerProvider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	t := &tracing{
		tracer:  provider.Tracer(instrumentation, trace.WithSchemaURL(semconv.SchemaURL)),
		vars:    !cfg.NoVars,
		secrets: newSecrets(cfg.Secrets),
		// Asked for with the first message: programs set the global one late.
		propagator: sync.OnceValue(func() propagation.TextMapPropagator {
			return propagatorOf(cfg.Propagator)
		}),
	}
	for _, arg := range slices.Sorted(maps.Keys(cfg.ArgAttributes)) {
		t.args = append(t.args, argAttribute{arg: arg, key: cfg.ArgAttributes[arg]})
	}
	common := slices.Clone(cfg.Attributes)
	t.starts.make = func(method string) *spanStart {
		return &spanStart{method: method, options: []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(methodAttributes(method, common...)...),
		}}
	}
	if cfg.ParentArg != "" {
		t.renamed = &sync.Pool{New: func() any { return &renamedCarrier{parent: cfg.ParentArg} }}
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
	starts     methods[*spanStart]
	propagator func() propagation.TextMapPropagator
	renamed    *sync.Pool // of *renamedCarrier, or nil
	args       []argAttribute
	vars       bool
	secrets    secrets
}

// spanStart is what the spans of a message name begin with. Samplers see it.
type spanStart struct {
	method  string
	options []trace.SpanStartOption
}

type argAttribute struct{ arg, key string }

func (t *tracing) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, next spoe.Handler) error {
	start := t.starts.get(msg.Name)
	ctx, span := t.tracer.Start(t.extract(ctx, msg), msg.Name, start.options...)
	if !span.IsRecording() {
		defer span.End()
		return next.ServeSPOE(ctx, msg, acts)
	}
	span.SetAttributes(messageAttributes(msg)...)
	if start.method != msg.Name {
		span.SetAttributes(semconv.RPCMethodOriginal(msg.Name))
	}
	t.recordArgs(span, msg)
	before := acts.Len()
	err := errPanicked
	defer func() { // a panic passes through here
		if err != nil {
			recordError(span, err)
		} else if t.vars {
			t.recordVars(span, acts, before)
		}
		span.End()
	}()
	err = next.ServeSPOE(ctx, msg, acts)
	return err
}

func (t *tracing) extract(ctx context.Context, msg *spoe.Message) context.Context {
	if t.renamed == nil {
		return t.propagator().Extract(ctx, argCarrier{msg.Args})
	}
	carrier := t.renamed.Get().(*renamedCarrier)
	carrier.args = msg.Args
	ctx = t.propagator().Extract(ctx, carrier)
	carrier.args = nil
	t.renamed.Put(carrier)
	return ctx
}

func (t *tracing) recordArgs(span trace.Span, msg *spoe.Message) {
	for _, a := range t.args {
		if v, ok := msg.Args.Lookup(a.arg); ok && !v.IsNull() && !t.secrets.arg(a.arg) {
			span.SetAttributes(valueAttribute(a.key, v))
		}
	}
}

// recordVars records the actions but for the first ones.
func (t *tracing) recordVars(span trace.Span, acts *spoe.Actions, first int) {
	var attrs []attribute.KeyValue
	var unset []string
	for act := range acts.All() {
		if first > 0 {
			first--
			continue
		}
		name := act.Scope.String() + "." + act.Name
		switch {
		case act.Unset, act.Value.IsNull():
			unset = append(unset, name)
		case t.secrets.variable(act.Scope, act.Name):
			attrs = append(attrs, attribute.String("spop.var."+name, redacted))
		default:
			attrs = append(attrs, valueAttribute("spop.var."+name, act.Value))
		}
	}
	if unset != nil {
		attrs = append(attrs, attribute.StringSlice("spop.var.unset", unset))
	}
	span.SetAttributes(attrs...)
}

func recordError(span trace.Span, err error) {
	var options []trace.EventOption
	if p := (*spoe.PanicError)(nil); errors.As(err, &p) {
		options = append(options, trace.WithAttributes(semconv.ExceptionStacktrace(string(p.Stack))))
	}
	span.RecordError(err, options...)
	span.SetStatus(codes.Error, err.Error())
	span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
}
