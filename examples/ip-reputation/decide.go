package main

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/geo"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// messageName is the spoe-message in spoe.conf, and groupName the group by which a rule
// of haproxy.cfg sends it, after the rule that sets the client's address.
const (
	messageName = "ip-rep"
	groupName   = "ask"
)

// Question has the arguments of HAProxy's message.
type Question struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

// Verdict is the answer. An address on no list has no IPList: the variable is unset,
// because variables of the session outlive a request, and an earlier request's list
// must not count for this one. The same applies to fields that no database knows.
type Verdict struct {
	IPScore   int     `spoe:"ip_score,sess"`
	IPList    *string `spoe:"ip_list,sess,unset"`
	Country   *string `spoe:"country,sess,unset"`
	Continent *string `spoe:"continent,sess,unset"`
	ASN       *uint32 `spoe:"asn,sess,unset"`
	ASOrg     *string `spoe:"as_org,sess,unset"`
}

// decider answers questions.
type decider struct {
	lists     func() *lists  // the current ones
	databases func() geo.Set // the same
	counts    *counts
	log       *slog.Logger
	level     func() slog.Level // at which decisions are logged
}

// decide must not block: it is in the path of every request.
func (d *decider) decide(ctx context.Context, q Question) (Verdict, error) {
	verdict := Verdict{IPScore: reputation.Clean}
	name, allowed := "", false
	lists := d.lists()
	if list := lists.Lookup(q.IP); list != nil {
		name, allowed = list.Name, list.Allow
		verdict.IPScore = list.Score
	}
	place, err := d.databases().Lookup(q.IP)
	if err != nil {
		d.log.LogAttrs(ctx, slog.LevelDebug, "database", slog.Any("error", err))
	}
	for _, rule := range lists.geo {
		if !allowed && rule.Score < verdict.IPScore && rule.Matches(place) {
			verdict.IPScore, name = rule.Score, rule.Name()
		}
	}
	verdict.IPList = known(name)
	verdict.Country, verdict.Continent, verdict.ASN, verdict.ASOrg = known(place.Country), known(place.Continent), known(place.ASN), known(place.ASOrg)
	d.counts.decided(ctx, lists.by[name], place.Country)
	if level := d.level(); d.log.Enabled(ctx, level) {
		d.log.LogAttrs(ctx, level, "decision",
			slog.String("ip", q.IP.String()), slog.Int("ip_score", verdict.IPScore), slog.String("ip_list", name),
			slog.String("country", place.Country), slog.Uint64("asn", uint64(place.ASN)))
	}
	return verdict, nil
}

// known returns v, or nil for a zero v.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// register is the only code of the agent that knows SPOE.
func (d *decider) register(r *router.Router, fields []geoField) {
	// The span is part of the request's trace (W3C trace context). If other systems
	// need it, add tracestate.
	r.Arg("traceparent", "req.hdr(traceparent)")
	route := r.With(setFields(fields, d.databases)).Handle(messageName, d.decide).Group(groupName)
	for _, f := range fields {
		route.Var(spoe.VarScopeSession, f.name)
	}
}
