// Command response-body inspects the bodies of responses.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Response struct {
	Body router.ResponseBody
}

type Verdict struct {
	Leak bool `spoe:"leak"`
	// Whole reports whether Leak is about all of the body.
	Whole bool `spoe:"whole"`
}

var card = regexp.MustCompile(`\b(?:\d{4}[ -]?){3}\d{4}\b`) // in place of a scanner

func scan(_ context.Context, r Response) (Verdict, error) {
	return Verdict{Leak: card.Match(r.Body.Bytes), Whole: r.Body.State() == router.BodyWhole}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(200 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("scan", scan).Event(router.OnHTTPResponse).Group("responses").Buffer(65536)

	haproxy.Parse(r, haproxy.Config{Engine: "leaks", FailClosed: true})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
