package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/service/internal/admin"
	"github.com/spoke-go/spoke/service/internal/conf"
	"github.com/spoke-go/spoke/service/internal/telemetry"
	"github.com/spoke-go/spoke/spoe"
)

const (
	// flushTimeout is the maximum duration of the last export, after the last answer.
	flushTimeout = 5 * time.Second
	// logTimeout is the maximum wait for the last lines of the log.
	logTimeout = 2 * time.Second
	// maxLogWaiting is the maximum number of bytes of the log that wait for a slow
	// reader.
	maxLogWaiting = 4 << 20
	// adminStopTimeout is the maximum time of a scrape after the agent ends.
	adminStopTimeout = time.Second
)

// The reasons of /readyz before and after the time in which HAProxy may ask.
var (
	errStarting = errors.New("starting")
	errStopping = errors.New("shutting down")
)

// start runs the agent until ctx ends, or only loads its configuration.
func (p *program[C]) start(ctx context.Context, loaded *conf.Loaded, validate bool) int {
	g := newGeneration[C](loaded)
	p.log = p.newLogger(g.settings)
	if validate {
		s := p.newSetup(ctx, g, p.log)
		defer s.state.close()
		p.use(s)
		if _, err := p.deriveTLS(s); err != nil {
			return p.fail(g, err)
		}
		if err := p.Setup(ctx, s); err != nil {
			return p.fail(g, err)
		}
		fmt.Fprintf(p.Stdout, "%s: the configuration is good\n", p.Name)
		return 0
	}
	switch err := p.serve(ctx, g); {
	case err != nil && ctx.Err() == nil:
		return p.fail(g, err)
	case err != nil: // a signal ended it
		p.log.Warn("the end was not a clean one", "error", err)
	}
	p.log.Info("stopped")
	return 0
}

// serve starts all that the agent needs, in the order of the package's
// documentation, and answers HAProxy until ctx ends.
func (p *program[C]) serve(ctx context.Context, g *generation[C]) error {
	signals, err := telemetry.Start(ctx, telemetry.Config{Service: p.Name, Version: p.Version, Stdout: p.Stdout, Logger: p.log})
	if err != nil {
		return err
	}
	defer p.flush(ctx, signals)

	s := p.newSetup(ctx, g, p.log)
	s.Traces, s.Metrics, s.Logs = signals.Traces, signals.Metrics, signals.Logs
	agent := p.newAgent(s)
	page := p.newPage(s, agent)
	p.use(s, page.Middleware())
	defer s.state.close()

	var serving atomic.Bool
	stopAdmin, err := p.startAdmin(ctx, s, signals.Scrape, page, &serving, func(probe context.Context) error {
		switch {
		case ctx.Err() != nil: // at once after the signal
			return errStopping
		case !serving.Load():
			return errStarting
		}
		for _, check := range s.ready {
			if err := check(probe); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer stopAdmin()

	getTLS, err := p.deriveTLS(s)
	if err != nil {
		return err
	}
	if err := p.Setup(ctx, s); err != nil {
		return err
	}
	if s.drains != nil {
		agent.Drain = s.drain
	}
	lns, err := g.settings.listen(getTLS)
	if err != nil {
		return err
	}
	return p.answer(ctx, s, agent, lns, func() { serving.Store(true) })
}

// answer runs the spoe.Agent, the background work and the reloads. The background work ends
// after the agent, because handlers may depend on it.
func (p *program[C]) answer(ctx context.Context, s *Setup[C], agent *spoe.Agent, lns []net.Listener, ready func()) error {
	if _, err := middleware.AgentMetrics(agent, s.Metrics); err != nil {
		return err
	}
	reloads, err := p.newReloader(s)
	if err != nil {
		return err
	}
	serving, stopServing := context.WithCancelCause(ctx)
	defer stopServing(nil)
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	tasks, background := errgroup.WithContext(background)
	for _, work := range s.tasks {
		tasks.Go(func() error {
			err := work(background)
			if err != nil && background.Err() == nil {
				stopServing(err)
			}
			return err
		})
	}
	var helpers errgroup.Group
	helpers.Go(func() error { reloads.run(serving); return nil })
	helpers.Go(func() error { p.watchdog(background); return nil })

	ready()
	addrs := make([]string, len(lns))
	for i, ln := range lns {
		addrs[i] = ln.Addr().String()
	}
	p.log.Info("ready", "addresses", addrs)
	p.notifyReady()
	context.AfterFunc(serving, p.notifyStopping)
	err = agent.Run(serving, lns...)
	if cause := context.Cause(serving); cause != nil && ctx.Err() == nil {
		err = errors.Join(cause, err)
	}
	stopServing(nil)
	stopBackground()
	helpers.Wait()
	if taskErr := tasks.Wait(); err == nil && !errors.Is(taskErr, context.Canceled) {
		err = taskErr
	}
	return err
}

func (p *program[C]) newAgent(s *Setup[C]) *spoe.Agent {
	agent := p.Limits
	if agent == nil {
		agent = new(spoe.Agent)
	}
	settings := s.Settings()
	agent.Handler, agent.Logger = s.Router, p.log
	agent.ShutdownTimeout = settings.ShutdownTimeout
	agent.NotifyTimeout = notifyTimeout(agent, settings.Timeout)
	agent.AllowedPeers = settings.AllowFrom
	agent.AcceptProxy = settings.AcceptProxy
	agent.AgentCheckAddr = settings.AgentCheck
	return agent
}

// notifyTimeout returns the agent's own NotifyTimeout, or a longer one if the deadline of
// the settings needs it.
func notifyTimeout(agent *spoe.Agent, deadline time.Duration) time.Duration {
	return cmp.Or(agent.NotifyTimeout, max(30*time.Second, 2*deadline))
}

// deriveTLS makes the TLS configuration one of the values that a reload replaces; it
// returns nil if TLS is off.
func (p *program[C]) deriveTLS(s *Setup[C]) (func() *tls.Config, error) {
	if s.Settings().TLSCert == "" {
		return nil, nil
	}
	load := func(_ context.Context, g *generation[C]) (any, error) {
		if set := g.settings; set.TLSCert != "" {
			return spoe.LoadTLS(set.TLSCert, set.TLSKey, set.TLSClientCA)
		}
		return nil, Wrong("tls-cert", "is gone: to switch TLS off, restart the program")
	}
	i, err := s.state.add(load)
	if err != nil {
		return nil, err
	}
	return func() *tls.Config { return s.state.load().values[i].(*tls.Config) }, nil
}

// startAdmin serves the admin address. The returned func stops it.
func (p *program[C]) startAdmin(ctx context.Context, s *Setup[C], metrics http.Handler, page *inspect.Page, serving *atomic.Bool, ready func(context.Context) error) (stop func(), err error) {
	settings := s.Settings()
	if settings.AdminListen == "off" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.AdminListen)
	if err != nil {
		return nil, fmt.Errorf("cannot serve /metrics, /healthz and /readyz: %w (-admin-listen sets the address, or off)", err)
	}
	if !settings.AdminNoInspect {
		s.Admin.HandleFunc("/inspect/", func(w http.ResponseWriter, r *http.Request) {
			if !serving.Load() { // Setup may still register the routes that the page reads
				w.Header().Set("Retry-After", "1")
				http.Error(w, "the agent is starting", http.StatusServiceUnavailable)
				return
			}
			page.ServeHTTP(w, r)
		})
	}
	server := admin.Start(listener, admin.Handler(admin.Config{
		Ready: ready, Metrics: metrics, Pprof: settings.AdminPprof, More: s.Admin, Token: settings.AdminToken.Reveal(),
	}), p.log)
	attrs := []any{"address", listener.Addr().String()}
	if !settings.AdminNoInspect {
		attrs = append(attrs, "page", "http://"+listener.Addr().String()+"/inspect/")
	}
	p.log.Info("admin", attrs...)
	return func() {
		page.Close() // its streams do not end by themselves
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminStopTimeout)
		defer cancel()
		server.Stop(ctx)
	}, nil
}

// flush sends the last telemetry, although ctx ended.
func (p *program[C]) flush(ctx context.Context, signals *telemetry.Telemetry) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), flushTimeout,
		fmt.Errorf("not delivered within %v", flushTimeout))
	defer cancel()
	if err := signals.Shutdown(ctx); err != nil {
		p.log.Warn("the last telemetry may be lost", "error", err)
	}
}
