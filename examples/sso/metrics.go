package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics count the agent's decisions.
type metrics struct{ decisions, logins metric.Int64Counter }

func newMetrics(meter metric.Meter, gate func() *gate) (*metrics, error) {
	decisions, err1 := meter.Int64Counter("sso.decisions", metric.WithUnit("{decision}"), metric.WithDescription("Decisions, and why."))
	logins, err2 := meter.Int64Counter("sso.logins", metric.WithUnit("{login}"), metric.WithDescription("Logins that came back from a provider."))
	_, err3 := meter.Int64ObservableGauge("sso.provider.up", metric.WithDescription("1 if the provider answered when it was last asked."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			for name, p := range gate().providers {
				up := int64(0)
				if p.Up() {
					up = 1
				}
				o.Observe(up, metric.WithAttributes(attribute.String("sso.provider", name)))
			}
			return nil
		}))
	return &metrics{decisions, logins}, errors.Join(err1, err2, err3)
}

func (m *metrics) decided(ctx context.Context, decision, reason string) {
	m.decisions.Add(ctx, 1, metric.WithAttributes(attribute.String("sso.decision", decision), attribute.String("sso.reason", reason)))
}

func (m *metrics) loggedIn(ctx context.Context, provider string, ok bool) {
	m.logins.Add(ctx, 1, metric.WithAttributes(attribute.String("sso.provider", provider), attribute.Bool("sso.ok", ok)))
}
