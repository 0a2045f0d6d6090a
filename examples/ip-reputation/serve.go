package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/telemetry"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

// flushTimeout is how long the last telemetry may take, once all is answered.
const flushTimeout = 5 * time.Second

// What /readyz says before and after the time in which HAProxy may ask.
var (
	errStarting = errors.New("the lists are being read")
	errStopping = errors.New("shutting down")
)

// serve reads the lists and answers HAProxy until ctx ends. Telemetry is there
// before all else and goes last: it has what happens at either end.
func serve(ctx context.Context, reload <-chan os.Signal, c config, lists *feed.Set, log *slog.Logger, stdout io.Writer) error {
	told, err := telemetry.Start(ctx, telemetry.Config{
		Service: "ip-reputation", Version: version(), Scrape: c.adminAddr != "", Stdout: stdout, Logger: log,
	})
	if err != nil {
		return err
	}
	defer flush(ctx, told, log)

	var serving atomic.Bool
	stopAdmin, err := startAdmin(ctx, c, log, told.Scrape, func() error {
		switch {
		case ctx.Err() != nil: // from the signal on, before anything else has noticed
			return errStopping
		case !serving.Load():
			return errStarting
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer stopAdmin()

	if err := lists.Load(ctx); err != nil {
		return err
	}
	agent, err := newAgent(c, lists, log, told)
	if err != nil {
		return err
	}
	listener, err := spoe.Listen(c.listen)
	if err != nil {
		return fmt.Errorf("%w (-listen sets the address)", err)
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { lists.Watch(watching, reload) })
	defer watcher.Wait()
	defer stop()

	serving.Store(true)
	log.Info("ready", "address", listener.Addr().String(), "lists", len(c.sources), "prefixes", lists.Table().Size())
	return agent.Run(ctx, listener)
}

// newAgent returns the agent, with its metrics and those of the lists.
func newAgent(c config, lists *feed.Set, log *slog.Logger, told *telemetry.Telemetry) (*spoe.Agent, error) {
	meter := told.Metrics.Meter(instrumentation)
	decisions, err := newDecisionCounter(c.sources, meter)
	if err != nil {
		return nil, err
	}
	if err := watchLists(lists, meter); err != nil {
		return nil, err
	}
	d := &decider{lists: lists, decisions: decisions, log: log, level: slog.LevelDebug}
	if c.logDecisions {
		d.level = slog.LevelInfo
	}
	agent := &spoe.Agent{
		Handler: newRouter(d, middleware.Default(c.timeout, middleware.DefaultConfig{
			Trace: middleware.TraceConfig{
				TracerProvider: told.Traces,
				ArgAttributes:  map[string]string{"ip": "client.address"},
			},
			Metrics: middleware.MetricsConfig{MeterProvider: told.Metrics},
		})),
		Logger:          log,
		ShutdownTimeout: c.shutdown,
	}
	_, err = middleware.AgentMetrics(agent, told.Metrics)
	return agent, err
}

// flush hands over the last telemetry, though ctx has ended.
func flush(ctx context.Context, told *telemetry.Telemetry, log *slog.Logger) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), flushTimeout,
		fmt.Errorf("not delivered within %v", flushTimeout))
	defer cancel()
	if err := told.Shutdown(ctx); err != nil {
		log.Warn("the last telemetry may be lost", "error", err)
	}
}
