package main

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// decisionCounter counts decisions by the list that decided; those about
// addresses on no list have no list.
type decisionCounter struct {
	counter metric.Int64Counter
}

func newDecisionCounter(meter metric.Meter) (*decisionCounter, error) {
	counter, err := meter.Int64Counter("iprep.decisions",
		metric.WithUnit("{decision}"), metric.WithDescription("Decisions, by the list that decided."))
	if err != nil {
		return nil, err
	}
	return &decisionCounter{counter: counter}, nil
}

func (c *decisionCounter) count(ctx context.Context, by []metric.AddOption) {
	c.counter.Add(ctx, 1, by...)
}
