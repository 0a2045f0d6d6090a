// Command geo finds the country of an address. Two replicas of it run.
package main

import (
	"context"
	"flag"
	"log"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > ../geo.conf"
//go:generate sh -c "go run . -print-config=backend > ../geo.cfg"

type Question struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

type Answer struct {
	Country string `spoe:"country"` // sets txn.geo.country
}

// countries stands for a database of them.
var countries = map[netip.Prefix]string{
	netip.MustParsePrefix("192.0.2.0/24"): "AT",
	netip.MustParsePrefix("127.0.0.0/8"):  "HERE",
}

func locate(_ context.Context, q Question) (Answer, error) {
	for prefix, country := range countries {
		if prefix.Contains(q.IP.Unmap()) {
			return Answer{country}, nil
		}
	}
	return Answer{"unknown"}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(50 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("locate", locate).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{
		Engine:   "geo",
		SPOEFile: "geo.conf",
		Agents:   []string{"127.0.0.1:9000", "127.0.0.1:9001"}, // one server line each
	})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
