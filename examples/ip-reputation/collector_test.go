package main_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector receives OTLP over HTTP.
type collector struct {
	*httptest.Server

	mu       sync.Mutex // guards what follows
	spans    []*trace.Span
	metrics  map[string]*metrics.Metric // as last sent
	resource map[string]string
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{metrics: make(map[string]*metrics.Metric), resource: make(map[string]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		var in collectortrace.ExportTraceServiceRequest
		receive(t, r, &in)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, rs := range in.GetResourceSpans() {
			c.takeResource(rs.GetResource().GetAttributes())
			for _, ss := range rs.GetScopeSpans() {
				c.spans = append(c.spans, ss.GetSpans()...)
			}
		}
		respond(w, &collectortrace.ExportTraceServiceResponse{})
	})
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, r *http.Request) {
		var in collectormetrics.ExportMetricsServiceRequest
		receive(t, r, &in)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, rm := range in.GetResourceMetrics() {
			c.takeResource(rm.GetResource().GetAttributes())
			for _, sm := range rm.GetScopeMetrics() {
				for _, m := range sm.GetMetrics() {
					c.metrics[m.GetName()] = m
				}
			}
		}
		respond(w, &collectormetrics.ExportMetricsServiceResponse{})
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) takeResource(attrs []*common.KeyValue) {
	for _, a := range attrs {
		c.resource[a.GetKey()] = a.GetValue().GetStringValue()
	}
}

// env has a program export to the collector.
func (c *collector) env(more ...string) []string {
	return append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, more...)
}

// got returns all that came so far.
func (c *collector) got() (spans []*trace.Span, byName map[string]*metrics.Metric, resource map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans, c.metrics, c.resource
}

func receive(t *testing.T, r *http.Request, in proto.Message) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type"))
	assert.NoError(t, proto.Unmarshal(body, in))
}

func respond(w http.ResponseWriter, out proto.Message) {
	b, _ := proto.Marshal(out)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(b)
}

// attributes are a span's, or a data point's, each as text or number.
func attributes(attrs []*common.KeyValue) map[string]any {
	m := make(map[string]any)
	for _, a := range attrs {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			m[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			m[a.GetKey()] = v.IntValue
		}
	}
	return m
}
