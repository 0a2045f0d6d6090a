package main_test

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A caller's trace, as its header says it.
const (
	callerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerSpan  = "00f067aa0ba902b7"
	traceparent = "00-" + callerTrace + "-" + callerSpan + "-01"
)

// ask asks an agent n times about an address, on a connection of its own.
func ask(t *testing.T, a *servicetest.Agent, n int, args ...spoetest.Argument) {
	t.Helper()
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	args = append([]spoetest.Argument{spoetest.Arg("ip", netip.MustParseAddr("192.0.2.66"))}, args...)
	for range n {
		got, err := haproxy.Ask(t.Context(), "ip-rep", args...)
		require.NoError(t, err)
		require.Equal(t, "blocklist", got.Str("sess.ip_list"))
	}
}

// The program exports to what OpenTelemetry's variables name, the last of it
// when it ends, and nothing to standard output.
func TestOTLP(t *testing.T) {
	c := startCollector(t)
	a := startProgram(t, c.env("OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test"))
	ask(t, a, 1, spoetest.Arg("traceparent", traceparent))
	ask(t, a, 2)
	a.End(t)

	spans, metrics, resource := c.got()
	require.Len(t, spans, 3, "parentbased_always_on, the standard's default")
	span := spans[0]
	assert.Equal(t, "ip-rep", span.GetName())
	assert.Equal(t, callerTrace, hex.EncodeToString(span.GetTraceId()))
	assert.Equal(t, callerSpan, hex.EncodeToString(span.GetParentSpanId()))
	attrs := attributes(span.GetAttributes())
	assert.Equal(t, "spop", attrs["rpc.system.name"])
	assert.Equal(t, "192.0.2.66", attrs["client.address"])
	assert.EqualValues(t, 0, attrs["spop.var.sess.ip_score"])
	assert.Equal(t, "blocklist", attrs["spop.var.sess.ip_list"])

	duration := metrics["rpc.server.call.duration"].GetHistogram().GetDataPoints()
	require.Len(t, duration, 1)
	assert.EqualValues(t, 3, duration[0].GetCount())
	assert.Equal(t, "ip-rep", attributes(duration[0].GetAttributes())["rpc.method"])
	decisions := metrics["iprep.decisions"].GetSum().GetDataPoints()
	require.Len(t, decisions, 1)
	assert.EqualValues(t, 3, decisions[0].GetAsInt())
	assert.Equal(t, "blocklist", attributes(decisions[0].GetAttributes())["iprep.list"])
	assert.Len(t, metrics["iprep.list.prefixes"].GetGauge().GetDataPoints(), 5)
	assert.EqualValues(t, 3, metrics["spop.server.acks"].GetSum().GetDataPoints()[0].GetAsInt())

	assert.Equal(t, "ip-reputation", resource["service.name"])
	assert.NotEmpty(t, resource["service.version"])
	assert.NotEmpty(t, resource["service.instance.id"])
	assert.Equal(t, "test", resource["deployment.environment.name"])
	assert.Empty(t, a.Out.String())
}

// The sampler of OpenTelemetry's variables is the one that counts, and traces
// and metrics may go different ways.
func TestSamplerOfEnvironment(t *testing.T) {
	c := startCollector(t)
	a := startProgram(t, c.env("OTEL_TRACES_SAMPLER=always_off", "OTEL_METRICS_EXPORTER=none", "OTEL_SERVICE_NAME=edge"))
	ask(t, a, 5, spoetest.Arg("traceparent", traceparent))
	a.End(t)
	spans, metrics, _ := c.got()
	assert.Empty(t, spans)
	assert.Empty(t, metrics)
}

func TestTelemetryOff(t *testing.T) {
	for _, env := range [][]string{
		nil, // the default
		{"OTEL_SDK_DISABLED=true"},
		{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none"},
	} {
		a := startProgram(t, env)
		ask(t, a, 3, spoetest.Arg("traceparent", traceparent))
		a.Scrape(t, "spop_server_acks_total 3") // that is for -admin-listen to say
		a.End(t)
		assert.Empty(t, a.Out.String())
	}
}

// A collector that is not there, or takes connections and no more, costs some
// log lines: questions are answered, and the end is bounded.
func TestCollectorDown(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	gone := startCollector(t)
	gone.Close()
	for name, url := range map[string]string{"gone": gone.URL, "silent": "http://" + silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			a := startProgram(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url})
			ask(t, a, 3)
			begun := time.Now()
			a.End(t)
			assert.Less(t, time.Since(begun), 20*time.Second, "the agent's end, and five seconds, not the exporter's minute")
			assert.Regexp(t, `level=WARN msg="the last telemetry may be lost" error=`, a.Log.String())
		})
	}
}

func TestWrongExporter(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "jaeger")
	status, stdout, stderr := once(t, "-admin-listen", "off", "-listen", "127.0.0.1:0")
	assert.Equal(t, 1, status)
	assert.Empty(t, stdout)
	assert.Equal(t, "ip-reputation: OTEL_TRACES_EXPORTER: \"jaeger\" is unknown: write otlp, console or none\n", stderr)
}

// An error at the start is reported without empty telemetry.
func TestNoTelemetryOfNothing(t *testing.T) {
	status, stdout, _ := once(t, "-admin-listen", "off", "-list", "/none")
	assert.Equal(t, 1, status)
	assert.Empty(t, stdout)
}
