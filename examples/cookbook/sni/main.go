// Command sni chooses the site of a TLS connection by the name in its hello.
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

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Hello struct {
	Name string `spoe:"name" fetch:"req.ssl_sni"` // empty if the client names no server
}

type Choice struct {
	Backend string `spoe:"backend"`
}

func choose(_ context.Context, h Hello) (Choice, error) {
	if name := strings.ToLower(h.Name); name == "shop.example" || strings.HasSuffix(name, ".shop.example") {
		return Choice{Backend: "shop"}, nil // in place of a table
	}
	return Choice{Backend: "unknown"}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(200 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("hello", choose).Event(router.OnFrontendTCPRequest).Group("hello")

	haproxy.Parse(r, haproxy.Config{Engine: "sni", FailClosed: true})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}
