package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	nooplog "go.opentelemetry.io/otel/log/noop"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service/internal/conf"
	"github.com/spoke-go/spoke/spoe"
)

// describe executes -print-config, -print-routes and -check-config; done is false if
// the command line has none of them. Setup registers the routes and builds nothing.
func (p *program[C]) describe(ctx context.Context, loaded *conf.Loaded, cmd *command) (done bool, status int) {
	if !cmd.describes {
		return false, 0
	}
	g := newGeneration[C](loaded)
	s := p.newSetup(ctx, g, slog.New(slog.DiscardHandler))
	s.describe = true
	p.use(s)
	if err := p.Setup(ctx, s); err != nil {
		return true, p.complain(err)
	}
	switch done, err := cmd.haproxy.Run(p.Stdout, s.Router, p.haproxyConfig(g.settings)); {
	case errors.Is(err, haproxy.ErrFindings): // they are printed
		return true, 1
	case errors.Is(err, haproxy.ErrOutOfDate):
		fmt.Fprintf(p.Stderr, "%s: %v\n", p.Name, err)
		return true, 1
	case err != nil:
		fmt.Fprintf(p.Stderr, "%s: %v\n", p.Name, err)
		return true, 2
	default:
		return done, 0
	}
}

// haproxyConfig is Agent.HAProxy with its defaults.
func (p *program[C]) haproxyConfig(s *Settings) haproxy.Config {
	c := p.HAProxy
	if c.Engine == "" {
		c.Engine = p.Name
	}
	if _, port, err := net.SplitHostPort(s.AgentCheck); err == nil && c.AgentCheckPort == 0 {
		c.AgentCheckPort, _ = net.LookupPort("tcp", port)
	}
	for _, addr := range s.Listen {
		if found := serverAddress(addr); found != "" && c.Agents == nil {
			c.Agents = []string{found}
		}
	}
	return c
}

// newSetup returns a Setup whose telemetry goes nowhere. Its router has no middleware
// yet.
func (p *program[C]) newSetup(ctx context.Context, g *generation[C], log *slog.Logger) *Setup[C] {
	s := &Setup[C]{
		Router: router.New(), Log: log, Admin: http.NewServeMux(), state: &state[C]{ctx: ctx},
		Traces: nooptrace.NewTracerProvider(), Metrics: noopmetric.NewMeterProvider(), Logs: nooplog.NewLoggerProvider(),
	}
	s.Router.Logger = log
	s.state.current.Store(g)
	s.know = p.files.Know
	s.watched = []func(*generation[C]) []string{func(g *generation[C]) []string {
		return []string{p.sources.File, g.settings.TLSCert, g.settings.TLSKey, g.settings.TLSClientCA}
	}}
	s.know(s.files(g)...)
	return s
}

// use adds the agent's middleware to the router.
func (p *program[C]) use(s *Setup[C], observers ...spoe.Middleware) {
	c := p.Middleware
	c.Observers = append(observers, c.Observers...)
	c.Trace.TracerProvider, c.Metrics.MeterProvider = s.Traces, s.Metrics
	s.Router.Use(middleware.Default(s.Settings().Timeout, c))
}
