package middleware

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// AgentMetrics adds an agent's [spoe.Stats] to the metrics of p, or of
// OpenTelemetry's global provider if p is nil, until the registration ends:
//
//	spop.server.connections            open now
//	spop.server.accepted_connections   since the start, health checks included
//	spop.server.notifies, .acks        frames received and sent
//	spop.server.active_notifies        received and not acknowledged
//	spop.server.late_handlers          still run after their ACK left
//	spop.server.failed_messages        by error.type: error, panic, timeout, too_big
//	spop.server.disconnects            by spop.status and spop.side, agent or haproxy
//
// It is not a middleware, because only the agent counts these.
func AgentMetrics(a *spoe.Agent, p metric.MeterProvider) (metric.Registration, error) {
	meter := meterOf(p)
	connections := upDown(meter, "spop.server.connections", "{connection}", "Connections of HAProxy that are open.")
	accepted := counter(meter, "spop.server.accepted_connections", "{connection}", "Connections accepted, health checks included.")
	notifies := counter(meter, "spop.server.notifies", "{frame}", "NOTIFYs received whole.")
	acks := counter(meter, "spop.server.acks", "{frame}", "ACKs sent.")
	active := upDown(meter, "spop.server.active_notifies", "{frame}", "NOTIFYs received and not acknowledged.")
	late := upDown(meter, "spop.server.late_handlers", "{handler}", "Handlers that run on after their ACK has left.")
	failed := counter(meter, "spop.server.failed_messages", "{message}", "Messages without their actions in the ACK.")
	disconnects := counter(meter, "spop.server.disconnects", "{frame}", "DISCONNECT frames.")

	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := a.Stats()
		o.ObserveInt64(connections, s.Connections)
		o.ObserveInt64(accepted, int64(s.ConnectionsTotal))
		o.ObserveInt64(notifies, int64(s.Notifies))
		o.ObserveInt64(acks, int64(s.Acks))
		o.ObserveInt64(active, s.InFlight)
		o.ObserveInt64(late, s.Late)
		for _, f := range []struct {
			kind string
			n    uint64
		}{{"error", s.Errors}, {"panic", s.Panics}, {"timeout", s.Timeouts}, {"too_big", s.DroppedActions}} {
			o.ObserveInt64(failed, int64(f.n), metric.WithAttributes(attribute.String("error.type", f.kind)))
		}
		for side, counts := range map[string]map[codec.Status]uint64{"agent": s.DisconnectsSent, "haproxy": s.DisconnectsReceived} {
			for status, n := range counts {
				o.ObserveInt64(disconnects, int64(n), metric.WithAttributes(
					attribute.String("spop.status", status.String()), attribute.String("spop.side", side)))
			}
		}
		return nil
	}, connections, accepted, notifies, acks, active, late, failed, disconnects)
}
