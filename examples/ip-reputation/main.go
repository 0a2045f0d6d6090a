// Command ip-reputation is an SPOE agent that scores IP addresses by published lists,
// countries and networks. Its -h explains it, and haproxy.cfg beside this file shows
// HAProxy's side. The agent writes the other files of that side, spoe.conf and
// agents.cfg (-print-config).
package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/service"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"
//go:generate sh -c "go run . -print-deploy=socket > deploy/ip-reputation.socket"

const about = `ip-reputation tells HAProxy how far an IP address can be trusted.

For every address that HAProxy asks about (see haproxy.cfg and spoe.conf), it
looks through lists of addresses and sets two variables:

  sess.iprep.ip_score   0 to 100: 0 is listed with no doubt, 100 is on no list
  sess.iprep.ip_list    the list that decided; not set if there was none

With databases in MaxMind's format it sets country, continent, asn and as_org, too, and
rules give countries and networks scores (-database, -geo).

Try it with no flag at all: it then uses sample lists of documentation addresses
(192.0.2.0/24 and the like).`

func main() { service.Main(agent()) }

func agent() service.Agent[Config] {
	return service.Agent[Config]{
		Name:      "ip-reputation",
		About:     about,
		EnvPrefix: "IPREP_",
		Defaults:  defaults,
		Service:   service.Settings{Timeout: 200 * time.Millisecond},
		Middleware: middleware.DefaultConfig{
			Trace: middleware.TraceConfig{ArgAttributes: map[string]string{"ip": "client.address"}},
		},
		// The address comes from the environment, as those in haproxy.cfg do.
		HAProxy: haproxy.Config{Engine: "ip-reputation", Prefix: "iprep", Agents: []string{`"${IPREP_AGENT-127.0.0.1:9000}"`}},
		Setup:   setup,
	}
}

func setup(_ context.Context, s *service.Setup[Config]) error {
	meter := s.Metrics.Meter(instrumentation)
	counts, err := newCounts(meter)
	if err != nil {
		return err
	}
	lists, err := deriveLists(s, counts)
	if err != nil {
		return err
	}
	databases, err := deriveDatabases(s)
	if err != nil {
		return err
	}
	if err := watchLists(lists.Load, meter); err != nil {
		return err
	}
	d := &decider{lists: lists.Load, databases: databases.Load, counts: counts, log: s.Log, level: func() slog.Level { return service.LineLevel(s.Config().LogDecisions) }}
	d.register(s.Router, s.Config().Field)
	return nil
}
