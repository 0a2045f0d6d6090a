// Command guard is an agent of three messages, at three moments in the life of a
// request.
package main

import (
	"context"
	"flag"
	"log"
	"net/netip"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

// When a client connects: which network is it in?
type Client struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

type Network struct {
	Name string `spoe:"network,sess"` // sets sess.guard.network, for the whole connection
}

func place(_ context.Context, in Client) (Network, error) {
	if in.IP.IsPrivate() || in.IP.IsLoopback() {
		return Network{"inside"}, nil
	}
	return Network{"outside"}, nil
}

// When a request comes: is it one that an honest visitor sends?
type Request struct {
	IP   netip.Addr `spoe:"ip,required" fetch:"src"`
	Path string     `spoe:"path" fetch:"path"`
}

type Verdict struct {
	Score  int    `spoe:"score"`            // sets txn.guard.score
	Reason string `spoe:"reason,omitempty"` // sets txn.guard.reason, if there is one
}

func judge(_ context.Context, in Request) (Verdict, error) {
	for _, probe := range []string{"/.env", "/.git/", "/wp-login.php"} {
		if strings.HasPrefix(in.Path, probe) {
			log.Printf("%v probes for %s", in.IP, probe)
			return Verdict{Score: 0, Reason: "probe"}, nil
		}
	}
	return Verdict{Score: 100}, nil
}

// Response counts failures of the site. The agent sets no variable for it.
type Response struct {
	Status int `spoe:"status,required" fetch:"status"`
}

var failures atomic.Int64

func count(_ context.Context, in Response) error {
	if in.Status >= 500 {
		log.Printf("failures of the site: %d", failures.Add(1))
	}
	return nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(100 * time.Millisecond)) // a deadline, among others
	r.ErrorVar(spoe.VarScopeTransaction, "failed")    // sets txn.guard.failed
	// The event comes with each request of a connection; one message is enough.
	r.Handle("client", place).Event(router.OnClientSession).Unless("{ var(sess.guard.network) -m found }")
	r.Handle("request", judge).Event(router.OnFrontendHTTPRequest)
	r.Observe("response", count).Event(router.OnHTTPResponse)

	// Replaces flag.Parse; adds -print-config, -print-routes and -check-config.
	haproxy.Parse(r, haproxy.Config{Engine: "guard"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
