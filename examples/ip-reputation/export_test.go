package main

import (
	"log/slog"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/geo"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// SampleSources is for the tests.
var SampleSources = sampleSources

// Agent is the program.
var Agent = agent

// NewHandler returns the agent's handler, with the sample lists.
func NewHandler(t *testing.T, log *slog.Logger, level slog.Level) spoe.Handler {
	counts, err := newCounts(noop.Meter{})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := loadLists(t.Context(), &Config{}, slog.New(slog.DiscardHandler), counts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lists.Close() })
	d := &decider{lists: func() *loadedLists { return lists }, databases: func() geo.Set { return nil }, counts: counts, log: log, level: func() slog.Level { return level }}
	r := router.New()
	d.register(r, nil)
	return r
}

type loadedLists = lists
