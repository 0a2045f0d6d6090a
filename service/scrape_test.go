package service_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// hostileKind is an error with a type that the peer sent.
type hostileKind struct{ kind string }

func (e *hostileKind) Error() string     { return "failing" }
func (e *hostileKind) ErrorType() string { return e.kind }

// Prometheus can read the metrics for any names that a peer sends, also where the
// middleware wraps a raw handler, of which the router knows nothing.
func TestScrapeWithHostileNames(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	a := newAgent()
	setup := a.Setup
	a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
		raw := spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			if v, ok := msg.Args.Lookup("kind"); ok {
				return &hostileKind{string(v.Bytes())}
			}
			if v, ok := msg.Args.Lookup("panic"); ok {
				panic(errors.New(string(v.Bytes())))
			}
			return nil
		})
		key := middleware.KeyArgs("kind")
		s.Router.NotFound(spoe.Chain(raw,
			middleware.Trace(middleware.TraceConfig{TracerProvider: s.Traces}),
			middleware.Metrics(middleware.MetricsConfig{MeterProvider: s.Metrics}),
			middleware.Log(middleware.LogConfig{}),
			middleware.Limit(100, middleware.LimitConfig{MeterProvider: s.Metrics}),
			middleware.Recover(),
			middleware.Cache(time.Minute, key, middleware.CacheConfig{MeterProvider: s.Metrics}),
			middleware.Coalesce(key),
		))
		return setup(ctx, s)
	}
	r := servicetest.Start(t, a, "-timeout", "5s") // a megabyte takes a busy machine a while
	hello := spoetest.DefaultHello()
	hello.MaxFrameSize, hello.EngineID = 2<<20, "\xff\n\"engine"
	haproxy, err := (&spoetest.Dialer{Hello: &hello}).Dial(t.Context(), "tcp", r.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()

	hostile := []string{
		"\xff\xfe", "a\nb\r\n# HELP x\n", `a"} 1`, "\x00", "\u202ea", "", "\xed\xa0\x80", strings.Repeat("x", 1<<20-100), strings.Repeat("\xff", 1<<20-100),
	}
	for _, text := range hostile {
		_, err := haproxy.Ask(t.Context(), text, spoetest.Arg("traceparent", text[:min(len(text), 10)]))
		require.NoError(t, err, "%.20q", text)
		text = text[:min(len(text), 1<<20-200)]
		for _, arg := range []string{"kind", "panic"} {
			_, err = haproxy.Ask(t.Context(), "m", spoetest.Arg(arg, text))
			require.NoError(t, err, "%.20q", text)
		}
	}
	status, body := servicetest.Get(t, r.Admin(t)+"/metrics")
	assert.Equal(t, http.StatusOK, status)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	require.NoError(t, err)
	methods, errorTypes := map[string]bool{}, map[string]bool{}
	for _, m := range families["rpc_server_call_duration_seconds"].GetMetric() {
		for _, l := range m.GetLabel() {
			assert.LessOrEqual(t, len(l.GetValue()), 128, l.GetName())
			switch l.GetName() {
			case "rpc_method":
				methods[l.GetValue()] = true
			case "error_type":
				errorTypes[l.GetValue()] = true
			}
		}
	}
	assert.Equal(t, map[string]bool{"_OTHER": true, "": true, "m": true, `a"} 1`: true}, methods)
	assert.Len(t, errorTypes, len(hostile)+1, "panic, and one for each text: %v", errorTypes)
}
