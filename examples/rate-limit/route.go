package main

import (
	"context"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// messageName is the spoe-message in spoe.conf, and groupName the group by which a rule
// of haproxy.cfg sends it, after the rules that set the client's address.
const (
	messageName = "rate-limit"
	groupName   = "ask"
)

// The cost of a request is an argument that rules of HAProxy may set.
const (
	costArg   = "cost"
	costFetch = "var(txn.cost)"
)

// register registers the limiter for a policy's arguments.
func (l *limiter) register(r *router.Router, p *policy) {
	// The span is part of the request's trace (W3C trace context).
	r.Arg("traceparent", "req.hdr(traceparent)")
	route := r.With(withArgs).Handle(messageName, l.check).Group(groupName)
	for _, a := range p.args {
		route.Arg(a.Arg(), a.Fetch())
	}
	route.Arg(costArg, costFetch)
}

// argsKey is the key of a message's arguments in its context. No struct can have them,
// because the configuration chooses them.
type argsKey struct{}

func withArgs(next spoe.Handler) spoe.Handler {
	return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return next.ServeSPOE(context.WithValue(ctx, argsKey{}, msg.Args.Raw()), msg, acts)
	})
}

func argsOf(ctx context.Context) codec.Args {
	args, _ := ctx.Value(argsKey{}).(codec.Args)
	return args
}

// noteMissing logs, once, the arguments that HAProxy does not send. HAProxy sends an
// empty argument for a part that a request lacks; an argument that is not sent is
// missing in spoe.conf, for example after a reload that added a limit. Limits by that
// part count nothing then.
func (l *limiter) noteMissing(p *policy, args codec.Args) {
	if p.checked.Swap(true) {
		return
	}
	for _, a := range p.args {
		if _, sent := args.Lookup(a.Arg()); !sent {
			l.log.Error("HAProxy does not send an argument of the limits: write spoe.conf anew with -print-config=spoe, and reload HAProxy", "argument", a.Arg())
		}
	}
}
