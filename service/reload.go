package service

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// lookEvery is the time between two looks at the files.
const lookEvery = time.Second

const scope = "github.com/spoke-go/spoke/service"

// reloader replaces the configuration while the agent answers. Only its goroutine does
// so.
type reloader[C any] struct {
	program *program[C]
	setup   *Setup[C]
	count   metric.Int64Counter
	good    atomic.Bool  // the last reload succeeded, or there was none
	at      atomic.Int64 // when the configuration in force was read, in ns since 1970
}

// newReloader returns a reloader, with its metrics:
//
//	spoke.config.reloads                  by spoke.config.result, success or failure
//	spoke.config.last_reload_successful   1, or 0 while the sources of the configuration are wrong
//	spoke.config.last_reload_success_time when the configuration in force was read
//
// and spoke.log.lost, which counts lost lines of the log.
func (p *program[C]) newReloader(s *Setup[C]) (*reloader[C], error) {
	r := &reloader[C]{program: p, setup: s}
	r.good.Store(true)
	r.at.Store(time.Now().UnixNano())
	meter := s.Metrics.Meter(scope)
	var err1, err2, err3, err4 error
	r.count, err1 = meter.Int64Counter("spoke.config.reloads", metric.WithUnit("{reload}"), metric.WithDescription("Reloads of the configuration."))
	err2 = ObserveGauge(meter, "spoke.config.last_reload_successful", "1, or 0 if the last reload of the configuration failed.", func() int64 {
		if r.good.Load() {
			return 1
		}
		return 0
	})
	_, err3 = meter.Float64ObservableGauge("spoke.config.last_reload_success_time", metric.WithUnit("s"), metric.WithDescription("When the configuration in force was read, since 1970."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(float64(r.at.Load()) / float64(time.Second))
			return nil
		}))
	_, err4 = meter.Int64ObservableCounter("spoke.log.lost", metric.WithUnit("{line}"), metric.WithDescription("Lines of the log that were not written, as its reader is too slow or the disk is full."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(p.late.Lost())
			return nil
		}))
	for _, result := range []string{"success", "failure"} {
		r.count.Add(context.Background(), 0, metric.WithAttributes(attribute.String("spoke.config.result", result)))
	}
	return r, errors.Join(err1, err2, err3, err4)
}

// run reloads at each signal and each change of a file until ctx ends. While too many replaced
// configurations are open, a reload waits, and one that is wanted meanwhile is the same.
func (r *reloader[C]) run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	signals, files := r.program.Reload, &r.program.files
	why := "" // a reload is wanted, or empty
	var waits <-chan struct{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-waits:
		case <-look.C:
			if files.Changed(r.setup.files(r.setup.state.load())) {
				why = cmp.Or(why, "a file has changed")
			}
		case _, ok := <-signals:
			if !ok {
				signals = nil
				continue
			}
			files.Forget()
			why = cmp.Or(why, "signal")
		}
		if why == "" {
			continue
		}
		full := r.setup.state.full()
		switch {
		case full == nil:
			r.reload(ctx, why)
			why = ""
		case waits == nil:
			r.program.log.Warn("the configuration is reloaded later: older ones are still in use", "reason", why, "older", maxRetired)
		}
		waits = full
	}
}

// reload replaces the configuration, or changes nothing.
func (r *reloader[C]) reload(ctx context.Context, why string) {
	p := r.program
	p.notifyReloading()
	defer p.notifyReady()
	restart, err := r.replace(ctx)
	r.good.Store(err == nil)
	result := "success"
	if err != nil {
		result = "failure"
		for line := range strings.SplitSeq(err.Error(), "\n") {
			p.log.Error("configuration not reloaded, the old one stays", "reason", why, "error", line)
		}
	} else {
		r.at.Store(time.Now().UnixNano())
		p.log.Info("configuration reloaded", "reason", why)
	}
	for _, key := range restart {
		p.log.Warn("a changed setting needs a restart, its old value stays", "setting", key)
	}
	r.count.Add(ctx, 1, metric.WithAttributes(attribute.String("spoke.config.result", result)))
}

func (r *reloader[C]) replace(ctx context.Context) (restart []string, err error) {
	loaded, err := r.program.load()
	if err != nil {
		return nil, err
	}
	r.program.files.Know(r.setup.files(newGeneration[C](loaded))...)
	restart = loaded.KeepFixed(r.setup.state.load().loaded)
	if err := r.setup.state.swap(ctx, loaded); err != nil {
		return nil, err
	}
	r.program.level.Set(r.setup.Settings().LogLevel)
	return restart, nil
}
