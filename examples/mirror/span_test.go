package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// span is as the exporter for consoles writes it.
type span struct {
	Name        string
	SpanContext struct{ TraceID, SpanID string }
	Parent      struct{ SpanID string }
	Status      struct{ Code string }
	Attributes  []struct {
		Key   string
		Value struct{ Value any }
	}
}

func (s span) attribute(key string) any {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.Value
		}
	}
	return nil
}

// Each copy is a span in the request's trace, below that of the message.
func TestSpanOfACopy(t *testing.T) {
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	mirror := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	a := servicetest.Run(t, []string{"OTEL_TRACES_EXPORTER=console", "OTEL_TRACES_SAMPLER=always_on"},
		"-url", mirror.URL, "-url", "http://127.0.0.1:1", "-timeout", "10s", "-shutdown-timeout", "10s")
	dial(t, a).send(t, "GET", "/", nil, "", spoetest.Arg("traceparent", "00-"+traceID+"-00f067aa0ba902b7-01"))
	a.Scrape(t, copies(mirror, "answered", 1), `mirror_copies_total{mirror_outcome="failed",mirror_target="127.0.0.1:1"} 1`)
	a.End(t)

	spans := make(map[string]span)
	for d := json.NewDecoder(strings.NewReader(a.Out.String())); ; {
		var s span
		err := d.Decode(&s)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		target, _ := s.attribute("mirror.target").(string)
		spans[strings.TrimSpace(s.Name+" "+target)] = s
		assert.Equal(t, traceID, s.SpanContext.TraceID)
	}
	require.Len(t, spans, 3)
	message := spans["mirror"].SpanContext.SpanID
	require.NotEmpty(t, message)
	good, bad := spans["copy "+strings.TrimPrefix(mirror.URL, "http://")], spans["copy 127.0.0.1:1"]
	assert.Equal(t, message, good.Parent.SpanID)
	assert.EqualValues(t, http.StatusTeapot, good.attribute("http.response.status_code"))
	assert.Equal(t, message, bad.Parent.SpanID)
	assert.Equal(t, "failed", bad.attribute("error.type"))
	assert.Equal(t, "Error", bad.Status.Code)
}
