package main

import (
	"context"

	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
)

// decisionCounter counts decisions by the list that decided; those about
// addresses on no list have no list.
type decisionCounter struct {
	counter metric.Int64Counter
	// How each list is counted, made once: this is in the path of every request.
	by map[string][]metric.AddOption
}

func newDecisionCounter(sources []feed.Source, meter metric.Meter) (*decisionCounter, error) {
	counter, err := meter.Int64Counter("iprep.decisions",
		metric.WithUnit("{decision}"), metric.WithDescription("Decisions, by the list that decided."))
	if err != nil {
		return nil, err
	}
	c := &decisionCounter{counter: counter, by: make(map[string][]metric.AddOption)}
	for _, s := range sources {
		c.by[s.List.Name] = []metric.AddOption{metric.WithAttributes(listKey.String(s.List.Name))}
	}
	return c, nil
}

func (c *decisionCounter) count(ctx context.Context, list string) {
	c.counter.Add(ctx, 1, c.by[list]...)
}
