package service_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/log"

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// badCollectors are collectors for OTLP that do an export no good. gone ends with the
// test.
func badCollectors(gone <-chan struct{}) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"silent": func(http.ResponseWriter, *http.Request) { <-gone },
		"slow": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			for {
				select {
				case <-gone:
					return
				case <-r.Context().Done():
					return
				case <-time.After(time.Millisecond):
				}
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
			}
		},
		"busy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			for some := make([]byte, 64<<10); r.Context().Err() == nil; {
				if _, err := w.Write(some); err != nil {
					return
				}
			}
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
		"closes": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
}

// TestBadCollector: collectors that fail cost no question its verdict, and keep the agent
// from ending for a bounded time.
func TestBadCollector(t *testing.T) {
	gone := make(chan struct{})
	bad := badCollectors(gone)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_on")
	for _, name := range []string{"OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"} {
		t.Setenv(name, "10") // ms
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_METRIC_EXPORT_TIMEOUT"} {
		t.Setenv(name, "3600000") // longer than any test
	}
	for _, signals := range [][3]string{{"silent", "slow", "endless"}, {"busy", "redirects", "closes"}} {
		t.Run(strings.Join(signals[:], ", "), func(t *testing.T) {
			mux := http.NewServeMux()
			for i, path := range []string{"/v1/traces", "/v1/logs", "/v1/metrics"} {
				mux.HandleFunc(path, bad[signals[i]])
			}
			s := httptest.NewServer(mux)
			t.Cleanup(s.CloseClientConnections)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
			a := newAgent()
			setup := a.Setup
			a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
				logger := s.Logs.Logger("test")
				s.Router.Handle("note", func(ctx context.Context, _ struct{}) (answer, error) {
					logger.Emit(ctx, log.Record{})
					return answer{Score: 1}, nil
				})
				return setup(ctx, s)
			}
			r := servicetest.Start(t, a, "-timeout", "20s")
			haproxy, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
			require.NoError(t, err)
			defer haproxy.Close()
			for range 3000 { // more than the queues hold
				vars, err := haproxy.Ask(t.Context(), "note")
				require.NoError(t, err)
				require.True(t, vars.Has("txn.score"), "an answer without a verdict")
			}
			status, _ := servicetest.Get(t, r.Admin(t)+"/metrics")
			assert.Equal(t, http.StatusOK, status)
			require.NoError(t, haproxy.Close())
			r.Stop()
			select {
			case <-r.Ended:
			case <-time.After(servicetest.Patience):
				t.Fatal("the agent has not ended")
			}
		})
	}
	close(gone)
}
