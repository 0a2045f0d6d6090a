package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

// running is a target with its queue and its connections.
type running struct {
	Target
	name      string
	share     float64 // in percent
	url       *url.URL
	replaced  map[string]bool // headers that are removed or set, in lower case
	transport *http.Transport
	queue     spoe.Middleware // [middleware.Detach], only of this target
	counts    *counts
	tracer    trace.Tracer
	log       *slog.Logger

	failed atomic.Int64 // copies since the last line about them
	logged atomic.Int64 // the time of that line, in ns since 1970
}

// targets are all targets. A target that hangs does not delay another one, because each has
// its own workers and queue.
type targets []*running

func newTargets(c *Config, log *slog.Logger, counts *counts, metrics metric.MeterProvider, traces trace.TracerProvider) (ts targets, err error) {
	for _, t := range c.targets() {
		r, err := newRunning(t, c)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.name(), err)
		}
		r.counts, r.log, r.tracer = counts, log, traces.Tracer(instrumentation)
		r.queue = middleware.Detach(middleware.DetachConfig{
			Workers: c.Workers, Queue: c.Queue, QueueBytes: c.QueueBytes, Timeout: c.CopyTimeout,
			Logger: log, MeterProvider: metrics, Attributes: []attribute.KeyValue{targetKey.String(r.name)},
		})
		counts.prepare(r.name)
		ts = append(ts, r)
	}
	log.Info("targets", "number", len(ts))
	return ts, nil
}

func newRunning(t Target, c *Config) (*running, error) {
	u, err := parseURL(t.URL)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := t.TLS.Load()
	if err != nil {
		return nil, err
	}
	tlsConfig.InsecureSkipVerify = t.Insecure
	dialer := &net.Dialer{Timeout: c.CopyTimeout}
	if t.From.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: t.From.AsSlice()}
	}
	replaced := make(map[string]bool)
	for _, name := range slices.AppendSeq(slices.Clone(t.Remove), maps.Keys(t.Set)) {
		replaced[strings.ToLower(name)] = true
	}
	return &running{
		Target: t, name: t.name(), share: cmp.Or(t.Share, c.Share), url: u, replaced: replaced,
		transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     tlsConfig,
			Protocols:           t.protocols(u.Scheme),
			MaxConnsPerHost:     c.Workers,
			MaxIdleConnsPerHost: c.Workers,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true, // it would add Accept-Encoding

			MaxResponseHeaderBytes: 64 << 10, // in each worker's memory

			// A target that sends PINGs and reads nothing would keep its connection for ever.
			HTTP2: &http.HTTP2Config{WriteByteTimeout: c.CopyTimeout},
		},
	}, nil
}

// Close ends the idle connections. The service calls it half a minute after a reload
// replaces the targets; connections with later copies end by IdleConnTimeout.
func (ts targets) Close() error {
	for _, t := range ts {
		t.transport.CloseIdleConnections()
	}
	return nil
}

// lineEvery is the minimum time between two log lines about a target's failures.
const lineEvery = 10 * time.Second

// note logs a failure, together with those since the last line.
func (t *running) note(err error) {
	n := t.failed.Add(1)
	last, now := t.logged.Load(), time.Now().UnixNano()
	if now-last < int64(lineEvery) || !t.logged.CompareAndSwap(last, now) {
		return
	}
	t.failed.Add(-n)
	t.log.Warn("copies fail", "target", t.name, "copies", n, "error", err)
}
