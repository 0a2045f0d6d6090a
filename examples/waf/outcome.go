package main

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/examples/waf/internal/rules"
	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/service"
)

// Outcome is the judgement of the rules, for HAProxy's rules: nothing but the score if the
// request may pass.
type Outcome struct {
	Action   string `spoe:"action,omitempty"` // deny, drop or redirect
	Status   int    `spoe:"status,omitempty"`
	Data     string `spoe:"data,omitempty"`   // where a redirect leads
	RuleID   int    `spoe:"ruleid,omitempty"` // 0: the agent itself refuses
	RulesHit string `spoe:"rules_hit,omitempty"`
	Matched  string `spoe:"matched,omitempty"` // the first of these rules, and what it matched: 942100 ARGS:id
	Score    int    `spoe:"anomaly_score"`
}

const (
	maxHits   = 50 // rules that Outcome.RulesHit names
	maxLogged = 5  // lines for one rule, which may match several variables
)

// outcome returns the verdict of the rules so far. score is the name of the Core Rule Set's
// variable for the phases that ran.
func (t *transaction) outcome(score string) Outcome {
	o := Outcome{Score: t.Score(score)}
	if i := cmp.Or(t.refused, t.Interruption()); i != nil {
		o.Action, o.Status, o.Data, o.RuleID = i.Action, cmp.Or(i.Status, 403), i.Data, i.RuleID
	}
	var ids []string
	for hit := range t.Hits() {
		id := strconv.Itoa(hit.ID())
		if len(ids) == 0 {
			o.Matched = id + " " + hit.Place()
		}
		if ids = append(ids, id); len(ids) == maxHits {
			break
		}
	}
	o.RulesHit = strings.Join(ids, ",")
	return o
}

// count counts and logs the transaction's hits.
func (t *transaction) count() {
	ctx, level := context.Background(), service.LineLevel(t.waf.config().LogHits)
	logs := t.waf.log.Enabled(ctx, level)
	for hit := range t.Hits() {
		t.waf.hits.Add(ctx, 1, metric.WithAttributes(attribute.String("waf.application", t.app.Name), attribute.Int("waf.rule", hit.ID())))
		for i, d := range hit.MatchedDatas() {
			if !logs || i >= maxLogged || d.Message() == "" { // a further part of a chain
				continue
			}
			t.waf.log.LogAttrs(ctx, level, "rule matched", slog.String("transaction", t.ID()), slog.String("application", t.app.Name),
				slog.Int("rule", hit.ID()), slog.String("message", d.Message()), slog.String("matched", rules.Place(d)),
				slog.String("data", safetext.Clip(d.Data(), 400)), slog.String("client", hit.ClientIPAddress()), slog.String("uri", safetext.Clip(hit.URI(), 200)))
		}
	}
}
