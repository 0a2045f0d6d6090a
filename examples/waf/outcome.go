package main

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/internal/safetext"
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

// outcome returns what the rules have said so far. scoreOf is the Core Rule Set's
// variable for the phases that have run.
func (t *transaction) outcome(scoreOf string) (o Outcome) {
	if i := cmp.Or(t.refused, t.Interruption()); i != nil {
		o.Action, o.Status, o.Data, o.RuleID = i.Action, cmp.Or(i.Status, 403), i.Data, i.RuleID
	}
	var ids []string
	for rule := range t.hits() {
		if len(ids) == 0 {
			o.Matched = strconv.Itoa(rule.Rule().ID()) + " " + where(rule)
		}
		if ids = append(ids, strconv.Itoa(rule.Rule().ID())); len(ids) == maxHits {
			break
		}
	}
	o.RulesHit = strings.Join(ids, ",")
	if s, ok := t.Transaction.(plugintypes.TransactionState); ok {
		if score := s.Variables().TX().Get(scoreOf); len(score) > 0 {
			o.Score, _ = strconv.Atoi(score[0])
		}
	}
	return o
}

// hits are the rules that matched and log.
func (t *transaction) hits() iter.Seq[types.MatchedRule] {
	return func(yield func(types.MatchedRule) bool) {
		for _, rule := range t.MatchedRules() {
			if l, ok := rule.(interface{ Log() bool }); ok && l.Log() && !yield(rule) {
				return
			}
		}
	}
}

// where names what a rule matched, such as ARGS:id: the last part of a chain.
func where(rule types.MatchedRule) (name string) {
	for _, d := range rule.MatchedDatas() {
		name = cmp.Or(place(d), name)
	}
	return name
}

func place(d types.MatchData) string {
	switch name := d.Variable().Name(); {
	case name == "UNKNOWN":
		return ""
	case d.Key() != "":
		return name + ":" + safetext.Clip(d.Key(), 64)
	default:
		return name
	}
}

// count counts and logs the transaction's hits.
func (t *transaction) count() {
	ctx, level := context.Background(), slog.LevelDebug
	if t.waf.config().LogHits {
		level = slog.LevelInfo
	}
	logs := t.waf.log.Enabled(ctx, level)
	for rule := range t.hits() {
		t.waf.hits.Add(ctx, 1, metric.WithAttributes(attribute.String("waf.application", t.app.Name), attribute.Int("waf.rule", rule.Rule().ID())))
		if !logs {
			continue
		}
		for i, d := range rule.MatchedDatas() {
			if d.Message() == "" || i >= maxLogged { // a further part of a chain
				continue
			}
			t.waf.log.LogAttrs(ctx, level, "rule matched", slog.String("transaction", t.ID()), slog.String("application", t.app.Name),
				slog.Int("rule", rule.Rule().ID()), slog.String("message", d.Message()), slog.String("matched", place(d)),
				slog.String("data", safetext.Clip(d.Data(), 400)), slog.String("client", rule.ClientIPAddress()), slog.String("uri", safetext.Clip(rule.URI(), 200)))
		}
	}
}
