// Command guard is the program of docs/service.md, for the tests.
package main

import (
	"context"
	"net/netip"
	"strings"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
)

type Config struct {
	Probes []string `help:"prefixes of paths that only scanners request" value:"PATH"`
}

type Client struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

type Network struct {
	Inside bool `spoe:"inside,sess"` // sets sess.guard.inside
}

type Request struct {
	Path string `spoe:"path" fetch:"path"`
}

type Verdict struct {
	Score int `spoe:"score"` // sets txn.guard.score
}

type Response struct {
	Status int `spoe:"status,required" fetch:"status"`
}

func main() {
	service.Main(service.Agent[Config]{Name: "guard", About: "guard finds requests of scanners.", Setup: setup})
}

func setup(ctx context.Context, s *service.Setup[Config]) error {
	s.Router.Arg("traceparent", "req.hdr(traceparent)") // a span is part of the request's trace
	s.Router.Handle("client", func(ctx context.Context, in Client) (Network, error) {
		return Network{Inside: in.IP.IsPrivate() || in.IP.IsLoopback()}, nil
	}).Event(router.OnClientSession)
	s.Router.Handle("request", func(ctx context.Context, in Request) (Verdict, error) {
		for _, probe := range s.Config().Probes {
			if strings.HasPrefix(in.Path, probe) {
				return Verdict{Score: 0}, nil
			}
		}
		return Verdict{Score: 100}, nil
	}).Event(router.OnFrontendHTTPRequest)
	s.Router.Observe("response", func(ctx context.Context, in Response) error {
		if in.Status >= 500 {
			s.Log.Warn("the site has failed", "status", in.Status)
		}
		return nil
	}).Event(router.OnHTTPResponse)
	return nil
}
