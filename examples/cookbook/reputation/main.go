// Command reputation scores the address behind each request.
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

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Question struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

type Verdict struct {
	Score int    `spoe:"score"`          // 0 is bad, 100 is good
	List  string `spoe:"list,omitempty"` // which list the address is on
}

// lists stand for your knowledge about addresses. The last two are for a try: on Linux
// all of 127.0.0.0/8 is this machine.
var lists = []struct {
	name     string
	score    int
	prefixes []netip.Prefix
}{
	{"blocked", 0, prefixes("192.0.2.0/24", "2001:db8:bad::/48", "127.0.0.66/32")},
	{"suspect", 50, prefixes("198.51.100.0/24", "127.0.0.50/32")},
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func score(_ context.Context, q Question) (Verdict, error) {
	for _, list := range lists {
		for _, p := range list.prefixes {
			// An IPv4 address may come as ::ffff:192.0.2.1.
			if p.Contains(q.IP.Unmap()) {
				return Verdict{list.score, list.name}, nil
			}
		}
	}
	return Verdict{Score: 100}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(50 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("ip-rep", score).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{Engine: "iprep"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
