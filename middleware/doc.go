// Package middleware has what most agents wrap around their handlers. Each is a
// [spoe.Middleware] and can stand around an agent's handler, on a router, a group
// or a route of one. The first is outermost:
//
//	r := router.New()
//	r.Use(middleware.Default(20 * time.Millisecond)) // Trace, Metrics, Timeout, Recover
//	r.With(middleware.Cache(time.Minute, "ip"), middleware.Coalesce("ip")).
//		Handle("ip-rep", lookup)
//
// [DefaultWith] has the order in which they work together, and why.
//
// Each but [Recover] and [Timeout] comes in two forms: a short one with what
// nobody can guess as arguments, and one that takes a configuration, whose zero
// value works. A wrong configuration panics there and then.
//
// Telemetry is OpenTelemetry's: without an SDK installed, [Trace] and [Metrics]
// cost little and go nowhere. Values of fields that are tagged secret are in no
// span, log line or metric.
package middleware
