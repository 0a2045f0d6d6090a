// Package router has messages handled by name, with typed functions: the
// arguments of a message are bound to a struct, and the fields of the struct
// that a function returns become variables.
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
//		r.Handle("ip-rep", router.Func(lookup))
//		if err := spoe.ListenAndServe(ctx, "127.0.0.1:9000", r); err != nil {
//			log.Fatal(err)
//		}
//	}
//
// # Life of a router
//
// First the middleware ([Group.Use]), then the routes ([Group.Handle],
// [Group.With], [Router.NotFound]), then it serves; there is no way back, and a
// registration out of order panics. So does everything else that can be known
// to be wrong by then: a function of another form, a tag with an unknown option,
// a field that cannot be bound, a name that HAProxy has no message of, a name
// registered twice, a nil. The text says where and what to change.
//
// # What a call costs
//
// [Func], [Sink] and [Acts] make a handler of a typed function. The compiler
// checks its form, and a call costs what binding costs: an allocation for all
// strings of a message, none without.
//
// [Group.Handle] takes the same function as it is, but has to call it through
// package reflect, since its types are not known there: that is some 0.4 µs and
// three to five allocations a message. To be spared them is to write
//
//	r.Handle("ip-rep", router.Func(lookup))
//
// For the tags see package codec, and docs/binding.md.
package router
