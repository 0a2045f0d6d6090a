package main

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/service"
)

// lists are the loaded lists, and the goroutine that keeps them up to date until
// Close.
type lists struct {
	*feed.Set
	// How a decision of each list is counted, made once: this is in the path of
	// every request.
	by map[string][]metric.AddOption

	again chan os.Signal // makes the goroutine read all files
	stop  context.CancelFunc
	ended sync.WaitGroup
}

// deriveLists loads the lists now, and whenever a reload changes which there are. A
// reload that leaves them as they are has their files read again.
func deriveLists(s *service.Setup[Config]) (*service.Derived[*lists], error) {
	var current *service.Derived[*lists]
	derived, err := s.Derive(func(ctx context.Context, c *Config) (*lists, error) {
		if current != nil && current.Load().same(c) {
			current.Load().readAgain()
			return current.Load(), nil
		}
		return loadLists(ctx, c, s.Log)
	})
	current = derived
	return derived, err
}

func loadLists(ctx context.Context, c *Config, log *slog.Logger) (*lists, error) {
	l := &lists{
		Set:   &feed.Set{Sources: c.sources(), Logger: log, Poll: c.Poll},
		by:    make(map[string][]metric.AddOption),
		again: make(chan os.Signal, 1),
	}
	if err := l.Load(ctx); err != nil {
		return nil, err
	}
	for _, source := range l.Sources {
		l.by[source.List.Name] = []metric.AddOption{metric.WithAttributes(listKey.String(source.List.Name))}
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.ended.Go(func() { l.Watch(ctx, l.again) })
	log.Info("lists", "files", len(l.Sources), "prefixes", l.Table().Size())
	return l, nil
}

func (l *lists) same(c *Config) bool {
	return c.Poll == l.Poll && slices.Equal(c.sources(), l.Sources)
}

func (l *lists) readAgain() {
	select {
	case l.again <- os.Interrupt:
	default: // it is about to
	}
}

// Close ends the updates. Lookups go on working.
func (l *lists) Close() error {
	l.stop()
	l.ended.Wait()
	return nil
}
