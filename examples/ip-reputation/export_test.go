package main

import (
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

// What the tests need to see.
var (
	Run           = run
	SampleSources = sampleSources
)

// ParseConfig returns what the flags say of lists and addresses.
func ParseConfig(args []string, getenv func(string) string) (listen string, sources []feed.Source, timeout time.Duration, err error) {
	c, err := parseConfig(args, getenv)
	return c.listen, c.sources, c.timeout, err
}

// NewHandler returns the agent's handler.
func NewHandler(lists *feed.Set, log *slog.Logger, level slog.Level) spoe.Handler {
	decisions, err := newDecisionCounter(lists.Sources, noop.Meter{})
	if err != nil {
		panic(err)
	}
	return newRouter(&decider{lists: lists, decisions: decisions, log: log, level: level}, middleware.Default(time.Second))
}

// AdminAddr returns where the flags have /metrics, "" for nowhere.
func AdminAddr(args []string, getenv func(string) string) (string, error) {
	c, err := parseConfig(args, getenv)
	return c.adminAddr, err
}
