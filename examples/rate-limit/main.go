// Command rate-limit is an SPOE agent that finds requests above their client's limit. A
// whole fleet of HAProxies and agents shares the limits in Redis. Its -h explains it, and
// haproxy.cfg beside this file shows HAProxy's side. The agent writes the other files of
// that side, spoe.conf and agents.cfg (-print-config).
package main

import (
	"context"
	"time"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/fleet"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/service"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

const about = `rate-limit tells HAProxy which requests are too many for their client.

For each request that HAProxy asks about (see haproxy.cfg and spoe.conf), it holds the
limits of the -config file against it and sets

  txn.ratelimit.allowed      whether all limits let it through
  txn.ratelimit.which        the limit that refuses it, or is nearest to that
  txn.ratelimit.limit, txn.ratelimit.remaining, txn.ratelimit.reset,
  txn.ratelimit.retry_after  of that limit; times are in seconds
  txn.ratelimit.policy       the header RateLimit-Policy

Try it with no flag at all: 100 requests in 10 seconds from each address, which this
agent alone counts. With -redis-address, all agents count together.`

func main() { service.Main(agent()) }

func agent() service.Agent[Config] {
	return service.Agent[Config]{
		Name:      "rate-limit",
		About:     about,
		EnvPrefix: "RATELIMIT_",
		Defaults:  defaults,
		Service:   service.Settings{Timeout: 100 * time.Millisecond},
		Middleware: middleware.DefaultConfig{
			Trace: middleware.TraceConfig{ArgAttributes: map[string]string{"ip": "client.address"}},
		},
		// The address comes from the environment, as those in haproxy.cfg do.
		HAProxy: haproxy.Config{Engine: "rate-limit", Prefix: "ratelimit", Agents: []string{`"${RATELIMIT_AGENT-127.0.0.1:9000}"`}, Rules: rules},
		Setup:   setup,
	}
}

// rules refuse requests above a limit, and report the limit's state to each client, by
// Retry-After and by the header fields of draft-ietf-httpapi-ratelimit-headers.
var rules = []string{
	`acl ratelimit_counted var(txn.ratelimit.which) -m found`,
	`acl ratelimit_refused var(txn.ratelimit.retry_after) -m found`,
	`# 429 where a limit refuses the request, 503 where the agent cannot count ("gone: closed").`,
	`http-request deny deny_status 429 content-type text/plain string "Too many requests.\n" hdr Retry-After %[var(txn.ratelimit.retry_after)] if ratelimit_refused ratelimit_counted`,
	`http-request deny deny_status 503 hdr Retry-After %[var(txn.ratelimit.retry_after)] if ratelimit_refused`,
	`# Where the client stands. The 429 has these fields, too.`,
	`http-after-response set-header RateLimit-Policy %[var(txn.ratelimit.policy)] if ratelimit_counted`,
	`http-after-response set-header RateLimit "\"%[var(txn.ratelimit.which)]\";r=%[var(txn.ratelimit.remaining)];t=%[var(txn.ratelimit.reset)]" if ratelimit_counted !ratelimit_refused`,
	`http-after-response set-header RateLimit "\"%[var(txn.ratelimit.which)]\";r=%[var(txn.ratelimit.remaining)];t=%[var(txn.ratelimit.retry_after)]" if ratelimit_counted ratelimit_refused`,
}

func setup(_ context.Context, s *service.Setup[Config]) error {
	policies, err := s.Derive(func(_ context.Context, c *Config) (*policy, error) { return newPolicy(c), nil })
	if err != nil {
		return err
	}
	config := s.Config()
	l := &limiter{policy: policies.Load, log: s.Log, refused: gcra.NewTable(config.Keys), local: gcra.NewTable(config.Keys)}
	if len(config.Redis.Address) > 0 {
		tlsConfig, err := s.DeriveTLS(func(c *Config) service.ClientTLS { return c.Redis.Files })
		if err != nil {
			return err
		}
		l.store = fleet.New(config.Redis.client(tlsConfig.Load), config.Redis.Prefix+"probe", config.Redis.Deadline, l.changed)
		s.Go(l.store.Run)
	}
	if l.metrics, err = newMetrics(s.Metrics.Meter(instrumentation), l); err != nil {
		return err
	}
	l.register(s.Router, newPolicy(config))
	return nil
}
