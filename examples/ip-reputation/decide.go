package main

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
	"github.com/spoke-go/spoke/router"
)

// messageName is the spoe-message in spoe.conf, and groupName what haproxy.cfg
// sends it by: a rule, so that it can come after the one that finds out whose
// request it is.
const (
	messageName = "ip-rep"
	groupName   = "ask"
)

// Question is what HAProxy sends.
type Question struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

// Verdict is what it gets. An address on no list has no IPList: the variable is
// unset rather than left alone, for a session's variables outlive a request,
// and what they said about the one before must not be taken for this one's.
type Verdict struct {
	IPScore int     `spoe:"ip_score,sess"`
	IPList  *string `spoe:"ip_list,sess,unset"`
}

// decider answers questions.
type decider struct {
	lists     func() *lists // of this moment
	decisions *decisionCounter
	log       *slog.Logger
	level     func() slog.Level // at which decisions are logged
}

// decide must not block: it is in the path of every request.
func (d *decider) decide(ctx context.Context, q Question) (Verdict, error) {
	verdict := Verdict{IPScore: reputation.Clean}
	name := ""
	lists := d.lists()
	if list := lists.Lookup(q.IP); list != nil {
		name = list.Name
		verdict.IPScore, verdict.IPList = list.Score, &list.Name
	}
	d.decisions.count(ctx, lists.by[name])
	if level := d.level(); d.log.Enabled(ctx, level) {
		d.log.LogAttrs(ctx, level, "decision",
			slog.String("ip", q.IP.String()), slog.Int("ip_score", verdict.IPScore), slog.String("ip_list", name))
	}
	return verdict, nil
}

// register is all of the agent that knows SPOE.
func (d *decider) register(r *router.Router) {
	// The span is part of the request's trace (W3C trace context). Where other
	// systems need it, add tracestate.
	r.Arg("traceparent", "req.hdr(traceparent)")
	r.Handle(messageName, d.decide).Group(groupName)
}
