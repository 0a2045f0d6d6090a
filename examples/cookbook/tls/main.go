// Command tls is an agent that speaks TLS, and only with HAProxy.
package main

import (
	"context"
	"crypto/tls"
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
	Score int `spoe:"score"`
}

func judge(_ context.Context, q Question) (Verdict, error) {
	if q.Path == "/.env" {
		return Verdict{Score: 0}, nil
	}
	return Verdict{Score: 100}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")
	cert := flag.String("cert", "agent.pem", "the agent's certificate, a PEM `file`")
	key := flag.String("key", "agent.key", "its key, a PEM `file`")
	ca := flag.String("client-ca", "ca.pem", "the authorities whose clients may connect, a PEM `file`")

	r := router.New()
	r.Use(middleware.Default(100 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("judge", judge).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{
		Engine:     "judge",
		FailClosed: true,
		// ca-file has the authority of the agent's certificate, verifyhost is the
		// name in it, crt is HAProxy's own certificate with its key. Health checks
		// use TLS, too.
		ServerOptions: "ssl verify required ca-file ca.pem verifyhost agent.example crt haproxy.pem",
	})

	agent := &spoe.Agent{Handler: r}
	var err error
	// With the third file the agent accepts only clients with a certificate of
	// that authority.
	if agent.TLSConfig, err = spoe.LoadTLS(*cert, *key, *ca); err != nil {
		log.Fatal(err)
	}
	ln, err := spoe.Listen(*listen)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := agent.Run(ctx, tls.NewListener(ln, agent.TLSConfig)); err != nil {
		log.Fatal(err)
	}
}
