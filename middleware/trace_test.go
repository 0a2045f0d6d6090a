package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// tracer is OpenTelemetry in memory.
type tracer struct {
	*sdktrace.TracerProvider
	*tracetest.InMemoryExporter
	tb testing.TB
}

func newTracer(tb testing.TB, opts ...sdktrace.TracerProviderOption) *tracer {
	exporter := tracetest.NewInMemoryExporter()
	return &tracer{sdktrace.NewTracerProvider(append(opts, sdktrace.WithSyncer(exporter))...), exporter, tb}
}

// one returns the one span that ended, and forgets it.
func (t *tracer) one() tracetest.SpanStub {
	t.tb.Helper()
	spans := t.GetSpans()
	require.Len(t.tb, spans, 1)
	t.Reset()
	return spans[0]
}

func (t *tracer) Shutdown(ctx context.Context) error { return t.TracerProvider.Shutdown(ctx) }

// attributesOf returns a span's attributes by their names.
func attributesOf(s tracetest.SpanStub) map[string]any {
	m := map[string]any{}
	for _, kv := range s.Attributes {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

// TestTraceIsAChild: the span is a child of the caller's, which came as an
// argument, and the parent of what the handler starts.
func TestTraceIsAChild(t *testing.T) {
	spans := newTracer(t)
	r := router.New()
	r.Use(middleware.Trace(middleware.TraceConfig{TracerProvider: spans}), middleware.Recover())
	r.HandleRaw("ip-rep", spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		_, span := spans.Tracer("handler").Start(ctx, "lookup")
		span.End()
		return acts.SetInt(spoe.VarScopeTransaction, "score", 1)
	}))
	h := spoetest.New(t, r)

	ctx, caller := spans.Tracer("caller").Start(t.Context(), "GET /")
	headers := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, headers)
	h.Ask("ip-rep", spoetest.Arg("traceparent", headers["traceparent"]))
	caller.End()

	got := map[string]tracetest.SpanStub{}
	for _, s := range spans.GetSpans() {
		got[s.Name] = s
	}
	require.Len(t, got, 3)
	for name, s := range got {
		assert.Equal(t, caller.SpanContext().TraceID(), s.SpanContext.TraceID(), name)
	}
	assert.Equal(t, caller.SpanContext().SpanID(), got["ip-rep"].Parent.SpanID())
	assert.True(t, got["ip-rep"].Parent.IsRemote())
	assert.Equal(t, got["ip-rep"].SpanContext.SpanID(), got["lookup"].Parent.SpanID())
}

func TestTraceParents(t *testing.T) {
	const traceID, spanID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	const parent = "00-" + traceID + "-" + spanID + "-01"
	for name, c := range map[string]struct {
		cfg  middleware.TraceConfig
		args []spoetest.Argument
		want bool
	}{
		"traceparent":        {args: []spoetest.Argument{spoetest.Arg("traceparent", parent)}, want: true},
		"as binary":          {args: []spoetest.Argument{spoetest.Arg("traceparent", []byte(parent))}, want: true},
		"another name":       {cfg: middleware.TraceConfig{ParentArg: "tp"}, args: []spoetest.Argument{spoetest.Arg("tp", parent)}, want: true},
		"not the other name": {cfg: middleware.TraceConfig{ParentArg: "tp"}, args: []spoetest.Argument{spoetest.Arg("traceparent", parent)}},
		"another propagator": {
			cfg:  middleware.TraceConfig{Propagator: b3{}},
			args: []spoetest.Argument{spoetest.Arg("b3", traceID+"-"+spanID+"-1")}, want: true,
		},
		"several propagators": {
			cfg:  middleware.TraceConfig{Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, b3{})},
			args: []spoetest.Argument{spoetest.Arg("b3", traceID+"-"+spanID+"-1")}, want: true,
		},
		"none":       {},
		"NULL":       {args: []spoetest.Argument{spoetest.Arg("traceparent", nil)}},
		"a number":   {args: []spoetest.Argument{spoetest.Arg("traceparent", 1)}},
		"nonsense":   {args: []spoetest.Argument{spoetest.Arg("traceparent", "00-xyz")}},
		"over-long":  {args: []spoetest.Argument{spoetest.Arg("traceparent", strings.Repeat("0", 4000))}},
		"empty text": {args: []spoetest.Argument{spoetest.Arg("traceparent", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			spans := newTracer(t)
			c.cfg.TracerProvider = spans
			h := spoetest.New(t, middleware.Trace(c.cfg)(setInt("ok", 1)))
			assert.Equal(t, "txn.ok=1", h.Ask("m", c.args...).String())
			got := spans.one()
			if c.want {
				assert.Equal(t, traceID, got.SpanContext.TraceID().String())
				assert.Equal(t, spanID, got.Parent.SpanID().String())
			} else {
				assert.False(t, got.Parent.IsValid())
			}
		})
	}
}

// b3 is as much of B3's single header as a test needs.
type b3 struct{}

func (b3) Fields() []string                                   { return []string{"b3"} }
func (b3) Inject(context.Context, propagation.TextMapCarrier) {}
func (b3) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	parts := strings.Split(c.Get("b3"), "-")
	if len(parts) != 3 {
		return ctx
	}
	var cfg trace.SpanContextConfig
	cfg.TraceID, _ = trace.TraceIDFromHex(parts[0])
	cfg.SpanID, _ = trace.SpanIDFromHex(parts[1])
	cfg.TraceFlags, cfg.Remote = trace.FlagsSampled, true
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(cfg))
}

// TestTraceParentsState: tracestate and baggage are arguments like any other.
func TestTraceParentsState(t *testing.T) {
	spans := newTracer(t)
	h := spoetest.New(t, middleware.Trace(middleware.TraceConfig{TracerProvider: spans})(setInt("ok", 1)))
	h.Ask("m", spoetest.Arg("tracestate", "vendor=1"), spoetest.Arg("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	assert.Equal(t, "vendor=1", spans.one().SpanContext.TraceState().String())
}

func TestTraceAttributes(t *testing.T) {
	spans := newTracer(t)
	h := middleware.Trace(middleware.TraceConfig{
		TracerProvider: spans,
		Attributes:     []attribute.KeyValue{semconv.ServerAddress("10.0.0.1"), semconv.ServerPort(9000)},
		ArgAttributes: map[string]string{
			"src": "client.address", "method": "http.request.method", "len": "http.request.body.size",
			"ssl": "tls.established", "ua": "user_agent.original", "gone": "gone", "null": "null",
		},
	})(handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		return errors.Join(
			acts.SetInt(spoe.VarScopeSession, "score", 90),
			acts.SetBool(spoe.VarScopeTransaction, "bot", true),
			acts.SetAddr(spoe.VarScopeRequest, "addr", netip.MustParseAddr("2001:db8::1")),
			acts.SetBytes(spoe.VarScopeResponse, "raw", []byte("\xff"+strings.Repeat("x", 1000))),
			acts.SetUint(spoe.VarScopeProcess, "big", 1<<63),
			acts.UnsetVar(spoe.VarScopeTransaction, "list"),
			acts.SetVar(spoe.VarScopeTransaction, "null", nil),
		)
	}))
	engine := spoetest.New(t, h)
	engine.Ask("check",
		spoetest.Arg("src", netip.MustParseAddr("192.0.2.1")), spoetest.Arg("method", "GET"), spoetest.Arg("len", 12),
		spoetest.Arg("ssl", true), spoetest.Arg("ua", "curl\x80"+strings.Repeat("u", 300)), spoetest.Arg("null", nil), spoetest.Arg("other", 1))
	got := spans.one()
	assert.Equal(t, "check", got.Name)
	assert.Equal(t, trace.SpanKindServer, got.SpanKind)
	assert.Equal(t, codes.Unset, got.Status.Code)
	assert.Empty(t, got.Events)
	assert.Equal(t, semconv.SchemaURL, got.InstrumentationScope.SchemaURL)
	assert.Equal(t, map[string]any{
		"rpc.system.name": "spop", "rpc.method": "check",
		"spop.engine_id": spoetest.DefaultHello().EngineID, "spop.stream_id": int64(1), "spop.frame_id": int64(1),
		"server.address": "10.0.0.1", "server.port": int64(9000),
		"client.address": "192.0.2.1", "http.request.method": "GET", "http.request.body.size": int64(12),
		"tls.established": true, "user_agent.original": `curl\x80` + strings.Repeat("u", 233) + "…(+67 bytes)",
		"spop.var.sess.score": int64(90), "spop.var.txn.bot": true, "spop.var.req.addr": "2001:db8::1",
		"spop.var.res.raw": `\xff` + strings.Repeat("x", 236) + "…(+764 bytes)", "spop.var.proc.big": "9223372036854775808",
		"spop.var.unset": []string{"txn.list", "txn.null"},
	}, attributesOf(got))
}

// TestTracePeer: HAProxy's address is network.peer; samplers see the method.
func TestTracePeer(t *testing.T) {
	var sampled []attribute.KeyValue
	spans := newTracer(t, sdktrace.WithSampler(samplerFunc(func(p sdktrace.SamplingParameters) { sampled = p.Attributes })))
	for network, addr := range map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/agent.sock"} {
		t.Run(network, func(t *testing.T) {
			ln, err := net.Listen(network, addr)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			agent := quiet(middleware.Trace(middleware.TraceConfig{TracerProvider: spans})(setInt("ok", 1)))
			go func() { ended <- agent.Run(ctx, ln) }() // ends with ctx, awaited below
			haproxy, err := spoetest.Dial(t.Context(), network, ln.Addr().String())
			require.NoError(t, err)
			_, err = haproxy.Ask(t.Context(), "m")
			require.NoError(t, err)
			got := attributesOf(spans.one())
			assert.Equal(t, network, got["network.transport"])
			if network == "tcp" {
				local := haproxy.Conn().LocalAddr().(*net.TCPAddr)
				assert.Equal(t, "127.0.0.1", got["network.peer.address"])
				assert.EqualValues(t, local.Port, got["network.peer.port"])
			}
			haproxy.Close()
			cancel()
			assert.NoError(t, <-ended)
			assert.Equal(t, []attribute.KeyValue{attribute.String("rpc.system.name", "spop"), attribute.String("rpc.method", "m")}, sampled)
		})
	}
}

type samplerFunc func(sdktrace.SamplingParameters)

func (f samplerFunc) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	f(p)
	return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
}
func (samplerFunc) Description() string { return "test" }

// secretError has an error.type of its own.
type secretError struct{}

func (secretError) Error() string     { return "no answer from the database" }
func (secretError) ErrorType() string { return "db_unavailable" }

func TestTraceErrors(t *testing.T) {
	boom := errors.New("boom")
	type in struct {
		Port uint16 `spoe:"port,strict"`
	}
	observing := router.New()
	observing.Observe("m", func(context.Context, in) error { return nil })
	for name, c := range map[string]struct {
		h         spoe.Handler
		kind, msg string
	}{
		"error":    {handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return boom }), "error", "boom"},
		"wrapped":  {handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return fmt.Errorf("so: %w", boom) }), "error", "so: boom"},
		"its type": {handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return fmt.Errorf("so: %w", secretError{}) }), "db_unavailable", "so: no answer from the database"},
		"panic":    {middleware.Recover()(panics), "panic", "spoe: handler panicked: boom"},
		"through":  {panics, "panic", "middleware: the handler panicked"},
		"timeout":  {handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return spoe.ErrTimeout }), "timeout", "spoe: handler missed its deadline"},
		"canceled": {handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return context.Canceled }), "canceled", "context canceled"},
		"shed":     {handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return middleware.ErrShed }), "shed", "middleware: too many messages are being handled"},
		"argument": {observing, "argument", `message "m": argument "port" is a STRING of 1 bytes`},
	} {
		t.Run(name, func(t *testing.T) {
			spans := newTracer(t)
			h := spoetest.NewAgent(t, quiet(middleware.Trace(middleware.TraceConfig{TracerProvider: spans})(
				handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
					_ = acts.SetInt(spoe.VarScopeTransaction, "dropped", 1)
					return c.h.ServeSPOE(ctx, msg, acts)
				}))))
			assert.Equal(t, "", h.Ask("m", spoetest.Arg("port", "x")).String())
			got := spans.one()
			assert.Equal(t, codes.Error, got.Status.Code)
			assert.Contains(t, got.Status.Description, c.msg)
			assert.Equal(t, c.kind, attributesOf(got)["error.type"])
			assert.NotContains(t, attributesOf(got), "spop.var.txn.dropped", "it never left")
			require.Len(t, got.Events, 1)
			assert.Equal(t, "exception", got.Events[0].Name)
			assert.Equal(t, name == "panic", hasAttribute(got.Events[0], "exception.stacktrace"))
		})
	}
}

func hasAttribute(e sdktrace.Event, key attribute.Key) bool {
	for _, kv := range e.Attributes {
		if kv.Key == key {
			return true
		}
	}
	return false
}

// TestTraceSecrets: a value that a tag marks as secret is nowhere in a span, whether it is
// not bound yet, cannot be bound, is never bound, or belongs to another message.
func TestTraceSecrets(t *testing.T) {
	const hidden = "hunter2"
	type login struct {
		User     string  `spoe:"user"`
		Password float64 `spoe:"password,secret,strict"`
	}
	type session struct {
		User  string `spoe:"user,sess"`
		Token string `spoe:"session_token,sess,secret"`
	}
	spans := newTracer(t)
	cfg := middleware.TraceConfig{
		TracerProvider: spans,
		ArgAttributes:  map[string]string{"user": "user.name", "password": "password", "key": "key"},
		Secrets:        []string{"key", "raw_token"},
	}
	r := router.New()
	r.Handle("login", func(_ context.Context, in login) (session, error) { return session{in.User, hidden}, nil })
	r.HandleRaw("raw", spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return errors.Join(
			acts.SetString(spoe.VarScopeTransaction, "raw_token", hidden),
			acts.SetString(spoe.VarScopeSession, "session_token", hidden))
	}))
	r.NotFound(spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return middleware.ErrShed }))
	h := spoetest.NewAgent(t, quiet(middleware.Trace(cfg)(r)))
	for message, want := range map[string]map[string]any{
		"login": {"spop.var.sess.user": "jane", "spop.var.sess.session_token": "REDACTED"},
		"raw":   {"spop.var.txn.raw_token": "REDACTED", "spop.var.sess.session_token": "REDACTED"},
		"shed":  {},
	} {
		password := any(hidden)
		if message == "login" {
			password = "1"
		}
		h.Ask(message, spoetest.Arg("user", "jane"), spoetest.Arg("password", password), spoetest.Arg("key", hidden))
		got := spans.one()
		assert.NotContains(t, fmt.Sprint(got), hidden)
		attrs := attributesOf(got)
		assert.Equal(t, "jane", attrs["user.name"])
		assert.NotContains(t, attrs, "password")
		assert.NotContains(t, attrs, "key")
		for key, value := range want {
			assert.Equal(t, value, attrs[key], key)
		}
	}
	h.Ask("login", spoetest.Arg("user", "jane"), spoetest.Arg("password", hidden)) // which is no number
	got := spans.one()
	assert.Equal(t, "argument", attributesOf(got)["error.type"])
	assert.NotContains(t, fmt.Sprint(got), hidden)
}

func TestTraceNoVars(t *testing.T) {
	spans := newTracer(t)
	h := spoetest.New(t, middleware.Trace(middleware.TraceConfig{TracerProvider: spans, NoVars: true})(setInt("ok", 1)))
	h.Ask("m")
	assert.NotContains(t, attributesOf(spans.one()), "spop.var.txn.ok")
}

// TestTraceManyNames: names without end do not fill the memory.
func TestTraceManyNames(t *testing.T) {
	spans := newTracer(t)
	h := middleware.Trace(middleware.TraceConfig{TracerProvider: spans})(setInt("ok", 1))
	for i := range 300 {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, fmt.Sprintf("m%d", i)), new(spoe.Actions)))
	}
	all := spans.GetSpans()
	assert.Equal(t, "m255", attributesOf(all[255])["rpc.method"])
	last := attributesOf(all[299])
	assert.Equal(t, "_OTHER", last["rpc.method"])
	assert.Equal(t, "m299", last["rpc.method_original"])
	assert.Equal(t, "m299", all[299].Name)
}

// TestTraceAllocates what OpenTelemetry does for the same span, and no more; a parent also
// costs its text.
func TestTraceAllocates(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	for name, provider := range map[string]trace.TracerProvider{
		"not sampled": sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
		"off":         noop.NewTracerProvider(), // for which Trace starts no span
	} {
		for _, withParent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, parent %v", name, withParent), func(t *testing.T) {
				carrier := propagation.MapCarrier{}
				var args []spoetest.Argument
				text := 0.
				if withParent {
					carrier["traceparent"] = parent
					args = append(args, spoetest.Arg("traceparent", parent))
					text = 1
				}
				baseline := openTelemetryAlone(provider, carrier)
				if name == "off" && !withParent {
					baseline-- // the context with a span
				}
				for _, parentArg := range []string{"", "tp"} {
					if withParent && parentArg != "" {
						args = []spoetest.Argument{spoetest.Arg(parentArg, parent)}
					}
					inAgent(t, middleware.Trace(middleware.TraceConfig{TracerProvider: provider, ParentArg: parentArg}), setInt("ok", 1), args, func(call func()) {
						assert.Equal(t, baseline+text, testing.AllocsPerRun(200, call), parentArg)
					})
				}
			})
		}
	}
}

// openTelemetryAlone returns what a span like Trace's allocates by itself.
func openTelemetryAlone(provider trace.TracerProvider, carrier propagation.TextMapCarrier) float64 {
	if provider == nil {
		provider = globalTracerProvider()
	}
	tracer := provider.Tracer("baseline")
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("rpc.system.name", "spop"), semconv.RPCMethod("m")),
	}
	ctx := context.Background()
	return testing.AllocsPerRun(200, func() {
		_, span := tracer.Start(propagation.TraceContext{}.Extract(ctx, carrier), "m", options...)
		span.End()
	})
}

func ExampleTrace() {
	exporter := tracetest.NewInMemoryExporter() // an agent has one of OTLP
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	handler := middleware.Trace(middleware.TraceConfig{
		TracerProvider: provider,
		ArgAttributes:  map[string]string{"ip": "client.address"},
	})(spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
	}))

	ask(&spoe.Agent{Handler: handler}, "ip-rep")
	for _, span := range exporter.GetSpans() {
		attrs := attribute.NewSet(span.Attributes...)
		for _, key := range []attribute.Key{"rpc.method", "client.address", "spop.var.sess.ip_score"} {
			value, _ := attrs.Value(key)
			fmt.Println(key, value.String())
		}
	}
	// Output:
	// ip-rep: sess.ip_score=90
	// rpc.method ip-rep
	// client.address 192.0.2.1
	// spop.var.sess.ip_score 90
}

// TestTraceKeys: a propagator may look at the names of all arguments.
func TestTraceKeys(t *testing.T) {
	var keys []string
	h := middleware.Trace(middleware.TraceConfig{TracerProvider: newTracer(t), Propagator: keysOf{&keys}})(setInt("ok", 1))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("a", 1), spoetest.Arg("b", 2)), new(spoe.Actions)))
	assert.Equal(t, []string{"a", "b"}, keys)
}

// keysOf is a propagator that notes the keys of a carrier.
type keysOf struct{ keys *[]string }

func (keysOf) Fields() []string                                   { return []string{"any"} }
func (keysOf) Inject(context.Context, propagation.TextMapCarrier) {}
func (k keysOf) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	*k.keys = c.Keys()
	return ctx
}

// endingTracers has one tracer, whose spans are not recorded and count their ends.
type endingTracers struct {
	noop.TracerProvider
	ended int
}

func (p *endingTracers) Tracer(string, ...trace.TracerOption) trace.Tracer {
	return endingTracer{provider: p}
}

type endingTracer struct {
	embedded.Tracer
	provider *endingTracers
}

func (t endingTracer) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, endingSpan{provider: t.provider}
}

type endingSpan struct {
	noop.Span
	provider *endingTracers
}

func (s endingSpan) End(...trace.SpanEndOption) { s.provider.ended++ }

// TestTraceEnds: a span that is not recorded ends, too, whatever the handler does.
func TestTraceEnds(t *testing.T) {
	p := new(endingTracers)
	mw := middleware.Trace(middleware.TraceConfig{TracerProvider: p})
	require.NoError(t, mw(setInt("ok", 1)).ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.Equal(t, 1, p.ended)
	assert.Panics(t, func() { _ = mw(panics).ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)) })
	assert.Equal(t, 2, p.ended)
}
