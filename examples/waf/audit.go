package main

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/examples/waf/internal/rules"
)

// auditEvent is the name of the log records of the audit log.
const auditEvent = "waf.audit"

// audits reports whether entries of the audit log are also log records of OpenTelemetry.
func (w *waf) audits() bool {
	return w.records.Enabled(context.Background(), log.EnabledParameters{Severity: log.SeverityInfo, EventName: auditEvent})
}

// record makes a log record of an entry of the audit log: its body is the entry's JSON.
func (t *transaction) record(entry rules.Entry) {
	var ids []int
	for hit := range t.Hits() {
		ids = append(ids, hit.ID())
	}
	about := entry.Transaction()
	var r log.Record
	r.SetEventName(auditEvent)
	r.SetTimestamp(time.Unix(0, about.UnixTimestamp()))
	r.SetSeverity(log.SeverityInfo)
	r.SetBody(attribute.StringValue(string(entry.JSON)))
	r.AddAttributes(attribute.String("waf.application", t.app.Name), attribute.IntSlice("waf.rules", slices.Compact(ids)),
		attribute.String("waf.transaction", about.ID()),
		attribute.String("client.address", about.ClientIP()), attribute.String("http.request.method", about.Request().Method()))
	if i := t.Interruption(); i != nil {
		r.SetSeverity(log.SeverityWarn)
		r.AddAttributes(attribute.String("waf.action", i.Action), attribute.Int("waf.rule", i.RuleID))
	}
	r.SetSeverityText(r.Severity().String())
	t.waf.records.Emit(trace.ContextWithSpanContext(context.Background(), t.span), r)
}
