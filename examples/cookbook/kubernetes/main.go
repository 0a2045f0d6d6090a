// Command guard is an agent for Kubernetes.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
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

// service is the headless Service in agent.yaml, whose name has the address of
// each pod.
const service = "guard.edge.svc.cluster.local:9000"

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")
	probes := flag.String("probes", "127.0.0.1:9001", "the `address` of /healthz and /readyz")
	shutdown := flag.Duration("shutdown", 30*time.Second, "how long a graceful end may take")

	r := router.New()
	r.Use(middleware.Default(100 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("judge", judge).Event(router.OnFrontendHTTPRequest)

	haproxy.Parse(r, haproxy.Config{
		Engine: "guard",
		// A line for each pod that there may be: HAProxy assigns a pod to each line;
		// lines without a pod are down.
		Agents: []string{service, service, service},
		// HAProxy starts before the name resolves, and tries again.
		ServerOptions: "resolvers kubernetes init-addr none",
	})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ln, err := spoe.Listen(*listen)
	if err != nil {
		log.Fatal(err)
	}
	if err := serveProbes(ctx, *probes); err != nil {
		log.Fatal(err)
	}
	agent := &spoe.Agent{
		Handler:         r,
		ShutdownTimeout: *shutdown, // less than terminationGracePeriodSeconds
		// HAProxy keeps its connections, so a new pod would get little traffic.
		MaxConnectionAge: 10 * time.Minute,
	}
	if err := agent.Run(ctx, ln); err != nil {
		log.Fatal(err)
	}
}

// serveProbes answers the kubelet: /healthz as long as the program runs, /readyz until
// SIGTERM.
func serveProbes(ctx context.Context, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ctx.Err() != nil {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
		}
	})
	log.Printf("probes: listening addr=%v", ln.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Print(server.Serve(ln)) }() // ends with the program
	return nil
}
