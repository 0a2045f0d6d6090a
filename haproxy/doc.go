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
// [Write] makes three texts: the SPOE file; a backend with the agents, a file of
// its own beside haproxy.cfg (`haproxy -f agents.cfg -f haproxy.cfg`); and lines
// for the frontend. They depend on nothing but their input, are commented, and
// accepted by `haproxy -c`.
//
// # Findings
//
// [Check] reads haproxy.cfg and the SPOE file as HAProxy does, as far as it has to: quotes,
// the environment, .if, defaults. It finds mistakes that HAProxy itself does not report
// before requests come.
//
// Nothing here is used while an agent serves. Functions may be called concurrently
// but for Parse and AddFlags, and Describe only once all routes are registered.
package haproxy
