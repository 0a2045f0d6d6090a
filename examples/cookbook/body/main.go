// Command body inspects the bodies of requests.
package main

import (
	"bytes"
	"context"
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

type Request struct {
	Body router.RequestBody
}

type Verdict struct {
	Bad bool `spoe:"bad"`
	// Truncated reports that Body is, or may be, only the beginning.
	Truncated bool `spoe:"truncated"`
}

func inspect(_ context.Context, r Request) (Verdict, error) {
	return Verdict{
		Bad:       bytes.Contains(bytes.ToLower(r.Body.Bytes), []byte("drop table")), // in place of something clever
		Truncated: r.Body.State() != router.BodyWhole,
	}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(200 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("inspect", inspect).
		Event(router.OnFrontendHTTPRequest).If("{ req.body_len gt 0 }").
		Buffer(65536) // of which HAProxy keeps 1024 free, and the head takes some

	haproxy.Parse(r, haproxy.Config{Engine: "body", FailClosed: true})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
