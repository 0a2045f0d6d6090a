package servicetest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// Collector receives log records over OTLP/HTTP.
type Collector struct {
	// URL is the value of OTEL_EXPORTER_OTLP_LOGS_ENDPOINT.
	URL string

	records chan Record
}

// Record is a log record that a [Collector] received.
type Record struct {
	Event      string
	Severity   string // such as WARN
	Body       string
	TraceID    string         // hexadecimal; empty without a trace
	Attributes map[string]any // string, int64, bool, float64 or []any
	Resource   map[string]any
}

// StartCollector starts a Collector, which ends with the test. It keeps the first 1000
// records.
func StartCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{records: make(chan Record, 1000)}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.URL = s.URL + "/v1/logs"
	return c
}

// ServeHTTP answers an export.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in collectorlogs.ExportLogsServiceRequest
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(body, &in)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "not log records in OTLP", http.StatusBadRequest)
		return
	}
	for _, resource := range in.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				c.take(record, resource.GetResource().GetAttributes())
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty message has no bytes
}

func (c *Collector) take(r *logs.LogRecord, resource []*common.KeyValue) {
	record := Record{
		Event: r.GetEventName(), Severity: r.GetSeverityText(), Body: r.GetBody().GetStringValue(), TraceID: hex.EncodeToString(r.GetTraceId()),
		Attributes: attributes(r.GetAttributes()), Resource: attributes(resource),
	}
	select {
	case c.records <- record:
	default:
	}
}

// Record waits for the next record.
func (c *Collector) Record(t testing.TB) Record {
	t.Helper()
	select {
	case r := <-c.records:
		return r
	case <-time.After(Patience):
		t.Fatal("no log record has come")
		return Record{}
	}
}

func attributes(all []*common.KeyValue) map[string]any {
	m := make(map[string]any)
	for _, a := range all {
		m[a.GetKey()] = value(a.GetValue())
	}
	return m
}

func value(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_ArrayValue:
		var list []any
		for _, e := range v.ArrayValue.GetValues() {
			list = append(list, value(e))
		}
		return list
	}
	return nil
}
