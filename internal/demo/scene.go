package main

import (
	"context"
	"net/http"
)

// scene is an example with visits that show it.
type scene struct {
	dir    string           // of the agent's package
	env    string           // begins the variables of its haproxy.cfg
	note   string           // about HAProxy's side
	site   http.HandlerFunc // the origin
	visits []visit

	// alone asks the agent at an address as HAProxy would, where there is no HAProxy;
	// aloneArgs are further flags then. nil: the example needs HAProxy.
	alone     func(ctx context.Context, addr string) (asker, error)
	aloneArgs []string
	// prepare starts the programs that the agent needs, and returns more flags for the
	// agent; dir is a temporary folder. nil: it needs nothing.
	prepare func(ctx context.Context, d *demo, running *group, dir string) ([]string, error)
	// proof returns the lines of the agent's /metrics about the visits, or an error if
	// there are none. nil: the demo does not ask.
	proof func(metrics string) (string, error)
}

// scenes are the examples by name.
var scenes = map[string]scene{
	"ip-reputation": ipReputation,
	"mirror":        mirror,
	"rate-limit":    rateLimit,
	"waf":           waf,
}
