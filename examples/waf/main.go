// Command waf is an SPOE agent that judges requests and responses by the rules of a
// web application firewall: Coraza, with the OWASP Core Rule Set inside. Its -h
// explains it, haproxy.cfg beside this file shows the other side; it prints the rest of
// that, spoe.conf and agents.cfg, itself (-print-config).
package main

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/examples/waf/internal/rules"
	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/pair"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

const about = `waf judges requests and responses by the rules of a web application firewall.

It is Coraza with the OWASP Core Rule Set inside. For each request and response that
HAProxy sends (see haproxy.cfg and spoe.conf), it sets among others

  txn.waf.action         deny, drop or redirect; not set if the request may pass
  txn.waf.ruleid         the rule that decided
  txn.waf.rules_hit      all rules that matched and log
  txn.waf.anomaly_score  the Core Rule Set's score

Try it with no flag at all: it then applies the Core Rule Set to all sites.`

const instrumentation = "github.com/spoke-go/spoke/examples/waf"

func main() { service.Main(agent()) }

func agent() service.Agent[Config] {
	return service.Agent[Config]{
		Name:     "waf",
		About:    about,
		Defaults: defaults,
		Service:  service.Settings{Timeout: time.Second},
		// The address is for the environment to say, as those in haproxy.cfg.
		HAProxy: haproxy.Config{Engine: "waf", Agents: []string{`"${WAF_AGENT-127.0.0.1:9000}"`}, FailClosed: true, Affinity: "agent"},
		Setup:   setup,
	}
}

// waf answers HAProxy. Its methods are called concurrently.
type waf struct {
	agent   string
	config  func() *Config
	apps    *service.Derived[*applications]
	pending *pair.Store[*transaction] // requests that wait for their responses
	ending  <-chan struct{}           // closed when the program ends
	hits    metric.Int64Counter
	records log.Logger // for the audit log
	tracer  trace.Tracer
	log     *slog.Logger
}

func setup(ctx context.Context, s *service.Setup[Config]) error {
	c, meter := s.Config(), s.Metrics.Meter(instrumentation)
	w := &waf{agent: c.Agent, config: s.Config, ending: ctx.Done(), log: s.Log, records: s.Logs.Logger(instrumentation), tracer: s.Traces.Tracer(instrumentation)}
	var err error
	if w.apps, err = s.Derive(w.compile); err != nil {
		return err
	}
	s.Watch(func(*Config) []string { return w.apps.Load().files() })
	w.pending, err = s.Pair("transactions", pair.Config[*transaction]{
		TTL: c.PendingFor, MaxEntries: c.Pending,
		Evicted: func(t *transaction, _ pair.Reason) { t.end() },
	})
	if err != nil {
		return err
	}
	if w.hits, err = meter.Int64Counter("waf.rule.hits", metric.WithUnit("{hit}"), metric.WithDescription("Rules that matched, by application.")); err != nil {
		return err
	}
	w.register(s, cmp.Or(c.Concurrency, 2*runtime.GOMAXPROCS(0)))
	return service.ObserveCounter(meter, "waf.audit.lost", "Entries of the audit log that were not written, as its file is too slow or full.", rules.AuditLost)
}

// register is all of the agent that knows SPOE.
func (w *waf) register(s *service.Setup[Config], concurrency int) {
	half := max(concurrency/2, 1)
	limit := middleware.LimitConfig{Wait: s.Settings().Timeout, MeterProvider: s.Metrics}
	large := limit
	large.MinBytes = 16 << 10 // the rules' time grows with the size
	judge := s.Router.With(middleware.Limit(half, large), middleware.Limit(concurrency, limit))
	judge.Arg("traceparent", "req.hdr(traceparent)")
	judge.Handle("waf-request", w.judgeRequest).Group("request").Event(router.OnFrontendHTTPRequest).Buffer(65536)
	judge.Handle("waf-response", w.judgeResponse).Group("response").Event(router.OnHTTPResponse)
	watch := s.Router.With(middleware.Detach(middleware.DetachConfig{Workers: half, Logger: s.Log, MeterProvider: s.Metrics}))
	watch.Observe("waf-watch", w.watchRequest).Group("watch").Event(router.OnFrontendHTTPRequest)
}
