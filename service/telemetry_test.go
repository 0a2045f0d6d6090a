package service_test

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

// A bucket of a histogram names a trace that it counted.
func TestExemplars(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	a := newAgent()
	setup := a.Setup
	a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
		s.Router.Arg("traceparent", "req.hdr(traceparent)")
		return setup(ctx, s)
	}
	r := servicetest.Start(t, a)
	haproxy, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	_, err = haproxy.Ask(t.Context(), "ask", spoetest.Arg("traceparent", "00-"+traceID+"-00f067aa0ba902b7-01"))
	require.NoError(t, err)

	req, err := http.NewRequest(http.MethodGet, r.Admin(t)+"/metrics", nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	client := http.Client{Timeout: servicetest.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Regexp(t, `rpc_server_call_duration_seconds_bucket\{.*# \{.*trace_id="`+traceID, string(b))
}

// TestLogs: an agent's log records go where OpenTelemetry's variables say, with the trace
// that they belong to; without the variables they are not even made.
func TestLogs(t *testing.T) {
	withLog := func() (a service.Agent[config], enabled chan bool) {
		a, enabled = newAgent(), make(chan bool, 1)
		setup := a.Setup
		a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
			s.Router.Arg("traceparent", "req.hdr(traceparent)")
			logger := s.Logs.Logger("test")
			s.Router.Observe("note", func(ctx context.Context, _ struct{}) error {
				enabled <- logger.Enabled(ctx, log.EnabledParameters{Severity: log.SeverityWarn})
				var r log.Record
				r.SetEventName("test.noted")
				r.SetSeverity(log.SeverityWarn)
				r.SetSeverityText("WARN")
				r.SetBody(attribute.StringValue("noted"))
				r.AddAttributes(attribute.Int("test.number", 7))
				logger.Emit(ctx, r)
				return nil
			}).Event(router.OnHTTPResponse)
			return setup(ctx, s)
		}
		return a, enabled
	}
	note := func(r *servicetest.Agent) {
		haproxy, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
		require.NoError(t, err)
		defer haproxy.Close()
		_, err = haproxy.Ask(t.Context(), "note", spoetest.Arg("traceparent", "00-"+traceID+"-00f067aa0ba902b7-01"))
		require.NoError(t, err)
	}
	t.Run("nowhere", func(t *testing.T) {
		a, enabled := withLog()
		note(servicetest.Start(t, a))
		assert.False(t, <-enabled)
	})
	t.Run("to a collector", func(t *testing.T) {
		collector := servicetest.StartCollector(t)
		t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", collector.URL)
		t.Setenv("OTEL_TRACES_EXPORTER", "console")
		a, enabled := withLog()
		r := servicetest.Start(t, a)
		note(r)
		assert.True(t, <-enabled)
		r.End(t) // sends the rest
		got := collector.Record(t)
		assert.Equal(t, "test-agent", got.Resource["service.name"])
		got.Resource = nil
		assert.Equal(t, servicetest.Record{Event: "test.noted", Severity: "WARN", Body: "noted", TraceID: traceID,
			Attributes: map[string]any{"test.number": int64(7)}}, got)
	})
	t.Run("to standard output", func(t *testing.T) {
		t.Setenv("OTEL_LOGS_EXPORTER", "console")
		a, enabled := withLog()
		r := servicetest.Start(t, a)
		note(r)
		assert.True(t, <-enabled)
		r.End(t)
		assert.Contains(t, r.Out.String(), `"EventName":"test.noted"`)
	})
	t.Run("to an unknown place", func(t *testing.T) {
		t.Setenv("OTEL_LOGS_EXPORTER", "syslog")
		status, _, stderr := servicetest.Once(t, newAgent(), nil, "-listen", "127.0.0.1:0", "-admin-listen", "off")
		assert.Equal(t, 1, status)
		assert.Equal(t, "test-agent: OTEL_LOGS_EXPORTER: \"syslog\" is unknown: write otlp, console or none\n", stderr)
	})
}

// OTLP over gRPC is in a program only if it imports package otlpgrpc.
func TestWithoutGRPC(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	status, _, stderr := servicetest.Once(t, newAgent(), nil, "-listen", "127.0.0.1:0", "-admin-listen", "off")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "test-agent: OTEL_EXPORTER_OTLP_PROTOCOL: this program was built without gRPC: write http/protobuf, or import github.com/spoke-go/spoke/service/otlpgrpc in its main package\n")
}

// With the tag nootlp a program has nothing of gRPC and Protocol Buffers' exporters.
func TestTagNoOTLP(t *testing.T) {
	for tag, want := range map[string]bool{"nootlp": false, "otlp": true} {
		out, err := exec.Command("go", "list", "-deps", "-tags", tag, "./internal/guard").Output()
		require.NoError(t, err)
		assert.Equal(t, want, strings.Contains(string(out), "google.golang.org/grpc"), tag)
	}
}
