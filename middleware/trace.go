package middleware

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/internal/secret"
	"github.com/spoke-go/spoke/spoe"
)

// TraceConfig configures [Trace]. The zero TraceConfig is the same as none.
type TraceConfig struct {
	// TracerProvider makes the spans. Default: OpenTelemetry's global one, as it is
	// when the first message comes.
	TracerProvider trace.TracerProvider
	// Propagator finds the caller's span in the message's arguments, each field
	// in the argument of that name. Default: OpenTelemetry's global one, as it is
	// when the first message comes, or W3C trace context if that has no fields.
	Propagator propagation.TextMapPropagator
	// ParentArg is the argument that has the caller's span in W3C form, if
	// HAProxy sends it under another name. Default: "traceparent".
	ParentArg string
	// Attributes are attributes of all spans, such as semconv.ServerAddress and
	// semconv.ServerPort of the agent.
	Attributes []attribute.KeyValue
	// ArgAttributes records arguments, each as the attribute that its name
	// maps to: "src" as "client.address", "method" as "http.request.method",
	// "path" as "url.path", "ua" as "user_agent.original". Default: none.
	ArgAttributes map[string]string
	// NoVars leaves out the variables that the handler set.
	NoVars bool
	// Secrets names arguments and variables whose values are not recorded, in addition to
	// fields that are tagged secret.
	Secrets []string
}

// Trace makes an OpenTelemetry span for each message, of kind server and with the message's
// name. Its parent comes from the message's arguments: configure HAProxy to send
// `traceparent=req.hdr(traceparent)`, and all other headers that the propagator reads, such
// as `b3=req.hdr(b3)`.
//
// The span has the attributes of the semantic conventions for RPC: rpc.system.name is spop,
// rpc.method is the message's name, network.peer.address and network.peer.port are
// HAProxy's; it also has spop.engine_id, spop.stream_id and spop.frame_id. If the handler
// succeeds, the span has each variable that the message sets, such as spop.var.txn.name,
// and in spop.var.unset the names that it unsets. If it fails, the span is an error with
// error.type and the error's text. Trace bounds and escapes texts from others.
//
// If any struct of the program has an argument or variable in a field tagged secret, Trace
// does not record its value in any message; a variable shows as REDACTED. Trace records the
// texts of errors and panics: keep secrets out of them.
//
// Trace panics on more than one configuration.
func Trace(cfgs ...TraceConfig) spoe.Middleware {
	cfg := only("Trace", cfgs)
	t := &tracing{
		vars:    !cfg.NoVars,
		secrets: secret.NewNames(cfg.Secrets),
		// The first message looks them up, because programs set the global ones late.
		tracer:     sync.OnceValues(func() (trace.Tracer, bool) { return tracerOf(cfg.TracerProvider) }),
		propagator: sync.OnceValue(func() propagation.TextMapPropagator { return propagatorOf(cfg.Propagator) }),
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

// tracerOf returns the tracer, and whether it makes spans.
func tracerOf(p trace.TracerProvider) (tracer trace.Tracer, on bool) {
	if p == nil {
		p = otel.GetTracerProvider()
	}
	tracer = p.Tracer(instrumentation, trace.WithSchemaURL(semconv.SchemaURL))
	_, off := tracer.(noop.Tracer)
	return tracer, !off
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
	tracer     func() (tracer trace.Tracer, on bool)
	starts     methods[*spanStart]
	propagator func() propagation.TextMapPropagator
	renamed    *sync.Pool // of *renamedCarrier, or nil
	args       []argAttribute
	vars       bool
	secrets    secret.Names
}

// spanStart has the attributes with which the spans of a message name begin.
// Samplers see them.
type spanStart struct {
	method  string
	options []trace.SpanStartOption
}

type argAttribute struct{ arg, key string }

func (t *tracing) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, next spoe.Handler) error {
	tracer, on := t.tracer()
	if !on { // the handler still gets the caller's span, which its log lines may name
		return next.ServeSPOE(t.extract(ctx, msg), msg, acts)
	}
	start := t.starts.get(msg.Name)
	name := safetext.Clip(msg.Name, maxMethodLength)
	ctx, span := tracer.Start(t.extract(ctx, msg), name, start.options...)
	if !span.IsRecording() {
		defer span.End()
		return next.ServeSPOE(ctx, msg, acts)
	}
	span.SetAttributes(messageAttributes(msg)...)
	if start.method != name {
		span.SetAttributes(semconv.RPCMethodOriginal(name))
	}
	t.recordArgs(span, msg)
	err := errPanicked
	defer func() { // a panic passes through here
		if err != nil {
			recordError(span, err)
		} else if t.vars {
			t.recordVars(span, acts)
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
		if v, ok := msg.Args.Lookup(a.arg); ok && !v.IsNull() && !t.secrets.Arg(a.arg) {
			span.SetAttributes(valueAttribute(a.key, v))
		}
	}
}

// recordVars records the message's actions.
func (t *tracing) recordVars(span trace.Span, acts *spoe.Actions) {
	var attrs []attribute.KeyValue
	var unset []string
	for act := range acts.All() {
		name := act.Scope.String() + "." + act.Name
		switch {
		case act.Unset, act.Value.IsNull():
			unset = append(unset, name)
		case t.secrets.Var(act.Scope, act.Name):
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

// recordError marks the span as failed. It does not use the span's RecordError, which
// records the error's text unchanged, and panics if the error does.
func recordError(span trace.Span, err error) {
	kind, text := errorType(err), safetext.Error(err, maxErrShown)
	exception := []attribute.KeyValue{semconv.ExceptionType(fmt.Sprintf("%T", err)), semconv.ExceptionMessage(text)}
	if p := panicOf(err); p != nil {
		exception = append(exception, semconv.ExceptionStacktrace(safetext.Stack(p.Stack)))
	}
	span.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(exception...))
	span.SetStatus(codes.Error, text)
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
}
