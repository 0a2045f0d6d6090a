// Package router dispatches messages to handlers by name and decodes their arguments into
// structs. The fields of the struct that a handler returns become HAProxy variables.
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
//		"github.com/spoke-go/spoke/middleware"
//		"github.com/spoke-go/spoke/router"
//		"github.com/spoke-go/spoke/spoe"
//	)
//
//	type IPRep struct {
//		IP netip.Addr `spoe:"ip,required"`
//	}
//
//	type Verdict struct {
//		Score int    `spoe:"ip_score,sess"`
//		List  string `spoe:"ip_list,sess,omitempty"`
//	}
//
//	func lookup(ctx context.Context, in IPRep) (Verdict, error) {
//		if in.IP.IsPrivate() {
//			return Verdict{Score: 100}, nil
//		}
//		return Verdict{Score: 0, List: "everybody"}, nil
//	}
//
//	func main() {
//		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
//		defer stop()
//		r := router.New()
//		r.Use(middleware.Default(20 * time.Millisecond))
//		r.ErrorVar(spoe.VarScopeTransaction, "error")
//		r.Handle("ip-rep", lookup)
//		if err := spoe.ListenAndServe(ctx, "127.0.0.1:9000", r); err != nil {
//			log.Fatal(err)
//		}
//	}
//
// # Forms of a handler
//
//	r.Handle("ip-rep", lookup)     // func(context.Context, In) (Out, error): arguments in, variables out
//	r.Observe("log", write)        // func(context.Context, In) error: arguments in, no variables
//	r.HandleActions("flags", set)  // func(context.Context, In, *spoe.Actions) error: variables known only at run time
//	r.HandleRaw("raw", handler)    // spoe.Handler: no structs
//
// The compiler checks the form. A call costs one allocation for all strings of a
// message, and none if it has no strings. See package codec and docs/binding.md for the tags.
//
// # Life of a router
//
// Register middleware first ([Branch.Use]), then the routes ([Branch.Handle],
// [Branch.With], [Router.NotFound]); then serve. Do not register afterwards. A registration
// out of order panics, and so does every other mistake that registration can find: a tag
// with an unknown option, a field that cannot be bound, a name that HAProxy would reject, a
// name registered twice, a nil. The text names the call's place and the change to make.
package router
