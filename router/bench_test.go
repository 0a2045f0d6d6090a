package router_test

import (
	"testing"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// BenchmarkHandle is what a message costs from the router to its actions, for
// one argument and for nine: with a handler that reads the arguments itself,
// with Func, and with a function that Handle calls by reflect.
func BenchmarkHandle(b *testing.B) {
	for _, c := range []struct {
		message, form string
		fn            any
	}{
		{"ip", "raw", rawIP},
		{"ip", "Func", router.Func(handleIP)},
		{"ip", "any", handleIP},
		{"request", "raw", rawRequest},
		{"request", "Func", router.Func(handleRequest)},
		{"request", "any", handleRequest},
	} {
		b.Run(c.message+"/"+c.form, func(b *testing.B) {
			r := router.New()
			r.Handle(c.message, c.fn)
			msg, acts, ctx := newMessage(b, c.message), new(spoe.Actions), b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if err := r.ServeSPOE(ctx, msg, acts); err != nil {
					b.Fatal(err)
				}
				acts.Reset()
			}
		})
	}
}
