package service

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/router"
)

// Setup is the argument of Agent.Setup. Its methods may be called until Agent.Setup
// returns, except Config, which handlers may call, too.
type Setup[C any] struct {
	// Router takes the routes. It already has Agent.Middleware.
	Router *router.Router
	// Log is the program's log.
	Log *slog.Logger
	// Traces and Metrics make the agent's own spans and metrics, in addition to those
	// of the middleware and of spoe.Agent.
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider
	// Logs makes log records for OpenTelemetry, such as those of an audit log. The
	// program's own log, Log, does not go there. Its loggers are not Enabled if
	// OpenTelemetry's variables name no exporter for log records.
	Logs log.LoggerProvider
	// Admin takes further pages for the admin address.
	Admin *http.ServeMux

	describe bool // for -print-config: only the routes are wanted
	state    *state[C]
	ready    []func(context.Context) error
	watched  []func(*generation[C]) []string
	know     func(files ...string) // before they are read
	tasks    []func(context.Context) error
	drains   []func(context.Context) error
}

// Config returns the current configuration, which a reload replaces. Do not change it.
// A handler should call Config once and use the result throughout.
func (s *Setup[C]) Config() *C { return s.state.load().config }

// Settings returns the current settings of the service itself.
func (s *Setup[C]) Settings() *Settings { return s.state.load().settings }

// Derive returns a value that build makes from the configuration: a table, a client,
// compiled rules. It calls build now, and again at each reload. If a build fails then,
// the old configuration stays, with all values made from it; so build must not change
// anything that the running agent uses.
//
// Derive values that must match as one value: a handler that loads two may get one from
// before a reload and one from after it.
//
// A value that is an io.Closer is closed 30 seconds after a reload replaces it, when no
// handler uses it any more, or at the end of the program. Close may wait until the value is
// unused. While four replaced values are not closed, a reload waits for the oldest, and
// reloads that are wanted meanwhile become one: memory stays bounded.
func (s *Setup[C]) Derive[T any](build func(context.Context, *C) (T, error)) (*Derived[T], error) {
	if s.describe {
		return &Derived[T]{load: func() any { var zero T; return zero }}, nil
	}
	i, err := s.state.add(func(ctx context.Context, g *generation[C]) (any, error) { return build(ctx, g.config) })
	if err != nil {
		return nil, err
	}
	return &Derived[T]{load: func() any { return s.state.load().values[i] }}, nil
}

// Derived is a value that is made again at each reload.
type Derived[T any] struct{ load func() any }

// Load returns the current value. It is safe for concurrent use.
func (d *Derived[T]) Load() T {
	v, _ := d.load().(T) // nil of an interface type fails the assertion
	return v
}

// Watch adds files to the file of -config: when one of them changes, the program
// reloads. Call it before or after Derive: a file that changes while Derive reads it is
// read again.
func (s *Setup[C]) Watch(files func(*C) []string) {
	if s.describe {
		return // files may use derived values, and there are none
	}
	s.watched = append(s.watched, func(g *generation[C]) []string { return files(g.config) })
	s.know(s.files(s.state.load())...)
}

// files returns the files of g whose change is a reason to reload.
func (s *Setup[C]) files(g *generation[C]) (files []string) {
	for _, watched := range s.watched {
		files = append(files, watched(g)...)
	}
	return slices.DeleteFunc(files, func(file string) bool { return file == "" })
}

// Ready adds a check to /readyz: an error is the reason why the agent should get no
// requests now. Each request for /readyz calls it.
func (s *Setup[C]) Ready(check func(context.Context) error) { s.ready = append(s.ready, check) }

// Drain adds work for which the program waits, at its end, before it closes HAProxy's
// connections: wait returns when no value waits for a later message, as the method
// Drain of pair.Store does. Its ctx ends after half of the setting shutdown-timeout.
// [spoe.Agent] describes HAProxy's behaviour meanwhile.
func (s *Setup[C]) Drain(wait func(context.Context) error) { s.drains = append(s.drains, wait) }

// drain waits for all work of Drain.
func (s *Setup[C]) drain(ctx context.Context) {
	for _, wait := range s.drains {
		if err := wait(ctx); err != nil {
			s.Log.Warn("some requests still wait for a later message", "error", err)
		}
	}
}

// Go runs background work from the end of Agent.Setup until the last request is
// answered; then its ctx ends, and the program waits for it. An error ends the program.
func (s *Setup[C]) Go(work func(context.Context) error) { s.tasks = append(s.tasks, work) }
