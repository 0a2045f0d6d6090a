package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

const duration, active, dropped = "rpc.server.call.duration", "spop.server.active_messages", "spop.server.dropped_messages"

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters(t)
		h := spoetest.NewAgent(t, quiet(spoe.Chain(byName{
			"ip-rep": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				time.Sleep(3 * time.Millisecond)
				return nil
			}),
			"error": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("boom") }),
			"panic": panics,
			"slow":  waits,
		}, middleware.Metrics(middleware.MetricsConfig{MeterProvider: m}), middleware.Timeout(30*time.Millisecond))))
		for _, message := range []string{"ip-rep", "ip-rep", "error", "panic"} {
			h.Ask(message)
		}
		_, err := h.Notify(t.Context(), spoetest.Msg("slow"))
		require.NoError(t, err)
		synctest.Wait()
		assert.EqualValues(t, 1, m.sums(active)["rpc.method=slow"])
		time.Sleep(time.Second)

		assert.Equal(t, map[string]int64{"rpc.method=ip-rep": 0, "rpc.method=error": 0, "rpc.method=panic": 0, "rpc.method=slow": 0}, m.sums(active))
		got := m.histogram(duration)
		require.Len(t, got, 4)
		assert.EqualValues(t, 2, got["rpc.method=ip-rep"].Count)
		assert.InDelta(t, 0.006, got["rpc.method=ip-rep"].Sum, 1e-9)
		assert.Equal(t, []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}, got["rpc.method=ip-rep"].Bounds)
		assert.EqualValues(t, 2, got["rpc.method=ip-rep"].BucketCounts[5], "up to 5 ms")
		assert.EqualValues(t, 1, got["error.type=error rpc.method=error"].Count)
		assert.EqualValues(t, 1, got["error.type=panic rpc.method=panic"].Count)
		assert.EqualValues(t, 1, got["error.type=timeout rpc.method=slow"].Count)
		assert.InDelta(t, 0.03, got["error.type=timeout rpc.method=slow"].Sum, 1e-9)
		assert.Equal(t, "s", m.metric(duration).Unit)
		assert.Equal(t, "{message}", m.metric(active).Unit)
	})
}

// TestMetricsBuckets are the caller's.
func TestMetricsBuckets(t *testing.T) {
	m := newMeters(t)
	h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: m, Buckets: []float64{1, 2}})(setInt("ok", 1))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.Equal(t, []float64{1, 2}, m.histogram(duration)["rpc.method=m"].Bounds)
}

// TestMetricsTwice: groups with a Metrics each are counted together.
func TestMetricsTwice(t *testing.T) {
	m := newMeters(t)
	for range 2 {
		h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: m})(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
			assert.EqualValues(t, 1, m.sums(active)["rpc.method=m"])
			return nil
		}))
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	}
	assert.EqualValues(t, 2, m.histogram(duration)["rpc.method=m"].Count)
}

func TestMetricsManyNames(t *testing.T) {
	m := newMeters(t)
	h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: m})(setInt("ok", 1))
	for i := range 1000 {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, fmt.Sprintf("m%d", i)), new(spoe.Actions)))
	}
	got := m.histogram(duration)
	assert.Len(t, got, 257)
	assert.EqualValues(t, 744, got["rpc.method=_OTHER"].Count)
}

// Metrics has the names of messages up to 128 bytes.
func TestMetricsLongNames(t *testing.T) {
	m := newMeters(t)
	h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: m})(setInt("ok", 1))
	longest := strings.Repeat("m", 128)
	for _, name := range []string{longest, longest + "m"} {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, name), new(spoe.Actions)))
	}
	got := m.histogram(duration)
	assert.EqualValues(t, 1, got["rpc.method="+longest].Count)
	assert.EqualValues(t, 1, got["rpc.method=_OTHER"].Count)
	assert.Len(t, got, 2)
}

func TestAgentMetrics(t *testing.T) {
	m := newMeters(t)
	held, late := make(chan struct{}), make(chan struct{})
	h := spoetest.NewAgent(t, quiet(byName{"ok": setInt("ok", 1), "panic": panics, "hold": handlerFunc(
		func(context.Context, *spoe.Message, *spoe.Actions) error {
			<-held
			return nil
		}), "late": middleware.Timeout(time.Millisecond)(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
		<-late
		return nil
	}))}))
	registration, err := middleware.AgentMetrics(h.Agent(), m)
	require.NoError(t, err)
	h.Ask("ok")
	h.Ask("panic")
	h.Ask("late")
	assert.Eventually(t, func() bool { return m.sums("spop.server.late_handlers")[""] == 1 }, 30*time.Second, time.Millisecond)
	close(late)
	assert.Eventually(t, func() bool { return m.sums("spop.server.late_handlers")[""] == 0 }, 30*time.Second, time.Millisecond)
	hold, err := h.Notify(t.Context(), spoetest.Msg("hold"))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return m.sums("spop.server.active_notifies")[""] == 1 }, 30*time.Second, time.Millisecond)
	close(held)
	_, err = h.Ack(t.Context(), hold)
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return m.sums("spop.server.active_notifies")[""] == 0 }, 30*time.Second, time.Millisecond)
	other := h.Dial(spoetest.DefaultHello())
	_, err = other.Disconnect(t.Context(), codec.StatusNormal, "")
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return m.sums("spop.server.connections")[""] == 1 }, 30*time.Second, time.Millisecond)
	assert.EqualValues(t, 2, m.sums("spop.server.accepted_connections")[""])
	assert.EqualValues(t, 4, m.sums("spop.server.notifies")[""])
	assert.EqualValues(t, 4, m.sums("spop.server.acks")[""])
	assert.Equal(t, map[string]int64{"error.type=error": 0, "error.type=panic": 1, "error.type=timeout": 1, "error.type=too_big": 0},
		m.sums("spop.server.failed_messages"))
	assert.Equal(t, map[string]int64{"spop.side=agent spop.status=normal": 1, "spop.side=haproxy spop.status=normal": 1},
		m.sums("spop.server.disconnects"))
	require.NoError(t, registration.Unregister())
	assert.Empty(t, m.sums("spop.server.acks"))
}

func ExampleMetrics() {
	reader := sdkmetric.NewManualReader() // an agent has OpenTelemetry's exporter for Prometheus
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	handler := middleware.Metrics(middleware.MetricsConfig{MeterProvider: provider})(spoe.HandlerFunc(
		func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
		}))

	ask(&spoe.Agent{Handler: handler}, "ip-rep")
	var got metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &got); err != nil {
		panic(err)
	}
	for _, m := range got.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name, m.Unit)
	}
	// Output:
	// ip-rep: sess.ip_score=90
	// rpc.server.call.duration s
	// spop.server.active_messages {message}
}
