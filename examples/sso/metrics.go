package main

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics count what the agent decides.
type metrics struct{ decisions, logins metric.Int64Counter }

func newMetrics(meter metric.Meter, gate func() *gate) (*metrics, error) {
	m := new(metrics)
	var err error
	if m.decisions, err = meter.Int64Counter("sso.decisions", metric.WithUnit("{decision}"), metric.WithDescription("Decisions, and why.")); err != nil {
		return nil, err
	}
	if m.logins, err = meter.Int64Counter("sso.logins", metric.WithUnit("{login}"), metric.WithDescription("Logins that came back from a provider.")); err != nil {
		return nil, err
	}
	_, err = meter.Int64ObservableGauge("sso.provider.up", metric.WithDescription("1 if the provider answered when it was last asked."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			for name, p := range gate().providers {
				up := int64(0)
				if p.about.Up() {
					up = 1
				}
				o.Observe(up, metric.WithAttributes(attribute.String("sso.provider", name)))
			}
			return nil
		}))
	return m, err
}

func (m *metrics) decided(ctx context.Context, decision, reason string) {
	m.decisions.Add(ctx, 1, metric.WithAttributes(attribute.String("sso.decision", decision), attribute.String("sso.reason", reason)))
}

func (m *metrics) loggedIn(ctx context.Context, provider string, ok bool) {
	m.logins.Add(ctx, 1, metric.WithAttributes(attribute.String("sso.provider", provider), attribute.Bool("sso.ok", ok)))
}
