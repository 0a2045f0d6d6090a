// Command gate is the program of docs/service.md, for the tests.
package main

import (
	"context"
	"net/netip"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
)

type Config struct {
	Blocked []netip.Prefix `help:"networks that get no access" value:"NETWORK"`
}

type Question struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

type Verdict struct {
	Blocked bool `spoe:"blocked"` // txn.gate.blocked
}

func main() {
	service.Main(service.Agent[Config]{
		Name:  "gate",
		About: "gate tells HAProxy which clients are blocked.",
		Setup: func(ctx context.Context, s *service.Setup[Config]) error {
			s.Router.Handle("check", func(ctx context.Context, q Question) (Verdict, error) {
				for _, network := range s.Config().Blocked {
					if network.Contains(q.IP) {
						return Verdict{Blocked: true}, nil
					}
				}
				return Verdict{}, nil
			}).Event(router.OnFrontendHTTPRequest)
			return nil
		},
	})
}
