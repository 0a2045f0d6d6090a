package main

import (
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
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
	return newRouter(&decider{lists: lists, log: log, level: level}, time.Second)
}
