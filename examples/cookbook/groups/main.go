// Command groups answers messages that rules send: at a place among other rules, for
// some requests, and with the results of earlier rules.
package main

import (
	"context"
	"flag"
	"log"
	"net/netip"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Client struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"` // as set-src left it
}

type Network struct {
	Name string `spoe:"network"`
}

func place(_ context.Context, c Client) (Network, error) {
	if c.IP.IsPrivate() || c.IP.IsLoopback() {
		return Network{"inside"}, nil
	}
	return Network{"outside"}, nil
}

type Browser struct {
	Agent string `spoe:"agent" fetch:"req.fhdr(user-agent)"`
}

type Robot struct {
	Is bool `spoe:"robot"`
}

func robot(_ context.Context, b Browser) (Robot, error) {
	return Robot{!strings.HasPrefix(b.Agent, "Mozilla/")}, nil
}

type Login struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
	// The agent's answer to the first group: a variable is a sample, too.
	Robot bool `spoe:"robot" fetch:"var(txn.visitor.robot)"`
}

type Permission struct {
	May bool `spoe:"may_login"`
}

func login(_ context.Context, l Login) (Permission, error) {
	return Permission{l.IP.IsPrivate() || !l.Robot}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(50 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	// HAProxy sends both messages of the group in one round trip.
	r.Handle("network", place).Group("who")
	r.Handle("robot", robot).Group("who")
	r.Handle("login", login).Group("login")

	haproxy.Parse(r, haproxy.Config{Engine: "visitor"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
