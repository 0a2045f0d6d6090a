package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/fetch"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/geo"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/iplist"
	"github.com/spoke-go/spoke/service"
)

// lists are the loaded lists, and the goroutine that keeps them up to date until
// Close.
type lists struct {
	*feed.Set
	// The options that count a decision of each list, made once, because they are in
	// the path of every request.
	by map[string][]metric.AddOption

	geo        []geo.Rule
	fetchEvery time.Duration

	again chan os.Signal // makes the goroutine read all files
	stop  context.CancelFunc
	ended sync.WaitGroup
}

// deriveLists loads the lists now, and whenever a reload changes the set of lists. Any
// other reload reads their files again.
func deriveLists(s *service.Setup[Config], counts *counts) (*service.Derived[*lists], error) {
	var current *service.Derived[*lists]
	derived, err := s.Derive(func(ctx context.Context, c *Config) (*lists, error) {
		if current != nil && current.Load().same(c) {
			current.Load().readAgain()
			return current.Load(), nil
		}
		return loadLists(ctx, c, s.Log, counts)
	})
	current = derived
	return derived, err
}

func loadLists(ctx context.Context, c *Config, log *slog.Logger, counts *counts) (*lists, error) {
	l := &lists{
		Set:   &feed.Set{Sources: c.sources(), Logger: log, Poll: c.Poll},
		by:    make(map[string][]metric.AddOption),
		again: make(chan os.Signal, 1),
		geo:   c.Geo, fetchEvery: c.FetchEvery,
	}
	if err := l.Load(ctx); err != nil {
		return nil, err
	}
	for _, source := range l.Sources {
		l.by[source.List.Name] = []metric.AddOption{metric.WithAttributes(listKey.String(source.List.Name))}
	}
	for _, rule := range c.Geo {
		l.by[rule.Name()] = []metric.AddOption{metric.WithAttributes(listKey.String(rule.Name()))}
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.ended.Go(func() { l.Watch(ctx, l.again) })
	for _, source := range l.Sources {
		if source.URL != "" {
			f := fetch.File{Path: source.Path, URL: source.URL, Checksum: source.Checksum, Check: checkList, Done: counts.fetched(source.List.Name)}
			l.ended.Go(func() { f.Keep(ctx, c.FetchEvery, log.With("list", source.List.Name)) })
		}
	}
	log.Info("lists", "files", len(l.Sources), "prefixes", l.Table().Size())
	return l, nil
}

func (l *lists) same(c *Config) bool {
	return c.Poll == l.Poll && c.FetchEvery == l.fetchEvery && slices.Equal(c.sources(), l.Sources) && slices.Equal(c.Geo, l.geo)
}

// checkList refuses an answer that is not a list, such as an error page.
func checkList(name string, content []byte) error {
	_, err := iplist.Parse(name, bytes.NewReader(content))
	return err
}

func (l *lists) readAgain() {
	select {
	case l.again <- os.Interrupt:
	default: // it is about to
	}
}

// Close ends the updates. Look-ups still work.
func (l *lists) Close() error {
	l.stop()
	l.ended.Wait()
	return nil
}
