// Command failing is an agent that fails on request, to show the effect on HAProxy.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
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
	Path string `spoe:"path" fetch:"path"`
}

type Verdict struct {
	Score int `spoe:"score"` // each answer has it, so a rule can see a missing answer
}

func judge(ctx context.Context, q Question) (Verdict, error) {
	switch q.Path {
	case "/fails":
		return Verdict{}, errors.New("the database is gone")
	case "/panics":
		panic("a bug")
	case "/hangs":
		<-ctx.Done() // until the deadline, as a query to a database would
		return Verdict{}, ctx.Err()
	case "/bad":
		return Verdict{Score: 0}, nil
	}
	return Verdict{Score: 100}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(100 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed") // why there is no answer
	r.Handle("judge", judge).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{Engine: "judge"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
