// Command rate-limit refuses clients that send too many requests.
package main

import (
	"context"
	"flag"
	"log"
	"math"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Question struct {
	Key string     `spoe:"key,secret" fetch:"req.hdr(x-api-key)"`
	IP  netip.Addr `spoe:"ip,required" fetch:"src"`
}

type Answer struct {
	Over       bool `spoe:"over"`                  // each answer has it
	RetryAfter int  `spoe:"retry_after,omitempty"` // in seconds, if it is over
}

// customers stands for your database of customers and their plans.
var customers = map[string]limit{
	"a-long-random-text": {rate: 100, burst: 200},
}

type limiter struct {
	others  limit // for all who are not customers
	buckets *buckets
}

func (l *limiter) count(_ context.Context, q Question) (Answer, error) {
	key, allowed := "key "+q.Key, customers[q.Key]
	if allowed == (limit{}) {
		// A client can make up an unknown key for each request, but cannot choose
		// its address.
		key, allowed = "ip "+network(q.IP), l.others
	}
	wait, ok := l.buckets.take(key, allowed, time.Now())
	if ok {
		return Answer{}, nil
	}
	return Answer{Over: true, RetryAfter: int(math.Ceil(wait.Seconds()))}, nil
}

// network returns the network of one visitor: an IPv4 address, or the first 64 bits of
// an IPv6 address, because a client may choose the rest.
func network(ip netip.Addr) string {
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")
	rate := flag.Float64("rate", 1, "how many `requests` a second each address may send")
	burst := flag.Float64("burst", 5, "how many `requests` of them at once")
	most := flag.Int("remember", 100_000, "how many `visitors` are remembered")

	r := router.New()
	r.Use(middleware.Default(50 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	var l limiter
	r.Handle("count", l.count).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{Engine: "limit"})
	if *rate <= 0 || *burst < 1 || *most < 1 {
		log.Fatal("-rate must be more than 0, -burst and -remember 1 at least")
	}
	l = limiter{limit{*rate, *burst}, newBuckets(*most)}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
