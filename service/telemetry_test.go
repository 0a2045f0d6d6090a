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

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

// A bucket of a histogram names a trace that it has counted.
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
