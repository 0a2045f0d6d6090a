package router_test

import (
	"testing"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// BenchmarkHandle measures a message from the router to its actions, for one argument
// and for nine, with structs and with a handler that reads the arguments itself.
func BenchmarkHandle(b *testing.B) {
	for _, c := range []struct {
		message, form string
		register      func(r *router.Router)
	}{
		{"ip", "raw", func(r *router.Router) { r.HandleRaw("ip", spoe.HandlerFunc(rawIP)) }},
		{"ip", "typed", func(r *router.Router) { r.Handle("ip", handleIP) }},
		{"request", "raw", func(r *router.Router) { r.HandleRaw("request", spoe.HandlerFunc(rawRequest)) }},
		{"request", "typed", func(r *router.Router) { r.Handle("request", handleRequest) }},
	} {
		b.Run(c.message+"/"+c.form, func(b *testing.B) {
			r := router.New()
			c.register(r)
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
