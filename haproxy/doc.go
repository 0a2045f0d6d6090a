// Package haproxy writes HAProxy's configuration for an agent, the SPOE file and lines
// of haproxy.cfg, from a router's routes, and checks existing files against them.
//
//	package main
//
//	import (
//		"context"
//		"log"
//		"net/netip"
//		"os/signal"
//		"syscall"
//		"time"
//
//		"github.com/spoke-go/spoke/haproxy"
//		"github.com/spoke-go/spoke/middleware"
//		"github.com/spoke-go/spoke/router"
//		"github.com/spoke-go/spoke/spoe"
//	)
//
//	type Question struct {
//		IP   netip.Addr `spoe:"ip,required" fetch:"src"`
//		Path string     `spoe:"path" fetch:"path"`
//	}
//
//	type Verdict struct {
//		Score int `spoe:"score"` // txn.guard.score
//	}
//
//	func judge(ctx context.Context, q Question) (Verdict, error) {
//		if q.Path == "/.env" {
//			return Verdict{Score: 0}, nil
//		}
//		return Verdict{Score: 100}, nil
//	}
//
//	func main() {
//		r := router.New()
//		r.Use(middleware.Default(100 * time.Millisecond))
//		r.Handle("check", judge).Event(router.OnFrontendHTTPRequest)
//
//		// Replaces flag.Parse; adds -print-config, -write-config and -check-config.
//		haproxy.Parse(r, haproxy.Config{Engine: "guard"})
//
//		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
//		defer stop()
//		if err := spoe.ListenAndServe(ctx, "127.0.0.1:9000", r); err != nil {
//			log.Fatal(err)
//		}
//	}
//
// # Sources
//
// A [router.Route] has the event or group of a message, the struct tag fetch has the
// samples of its arguments, and middleware reports the deadline. [Describe] collects
// these in an [Agent]. -print-routes writes an Agent as JSON, for `spoectl check`.
// [Config] has everything else.
//
// # Files
//
// [Write] makes three texts: the SPOE file; a file with the agents' backend, beside
// haproxy.cfg (`haproxy -f agents.cfg -f haproxy.cfg`); and lines for the frontend. They
// depend only on their input and have comments, and `haproxy -c` accepts them.
//
// # Findings
//
// [Check] reads haproxy.cfg and the SPOE file as HAProxy does: quotes, the environment,
// .if, defaults. It finds mistakes that HAProxy does not report when it starts.
//
// An agent does not use this package while it serves. Goroutines may call all functions
// concurrently except Parse and AddFlags; call Describe after all routes are registered.
package haproxy
