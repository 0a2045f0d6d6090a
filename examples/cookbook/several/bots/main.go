// Command bots estimates whether a request comes from a program.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > ../bots.conf"
//go:generate sh -c "go run . -print-config=backend > ../bots.cfg"

type Question struct {
	Agent string `spoe:"agent" fetch:"req.fhdr(user-agent)"`
	// The other agent's answer. HAProxy asks in the order of its filter
	// lines, and geo's is the first.
	Country string `spoe:"country,default=unknown" fetch:"var(txn.geo.country)"`
}

type Answer struct {
	Score int `spoe:"score"` // sets txn.bots.score: 0 is a browser
}

func score(_ context.Context, q Question) (Answer, error) {
	a := Answer{}
	if !strings.HasPrefix(q.Agent, "Mozilla/") {
		a.Score += 50
	}
	if q.Country == "unknown" {
		a.Score += 40
	}
	return a, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9010", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(50 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("score", score).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{
		Engine:   "bots",
		SPOEFile: "bots.conf",
		Agents:   []string{"127.0.0.1:9010"},
	})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
