// Package middleware wraps handlers in deadlines, telemetry, bounds and caches.
// Each is a [spoe.Middleware] and can wrap an agent's handler, a router, a branch or
// a route of one. The first is outermost:
//
//	r := router.New()
//	r.Use(middleware.Default(20 * time.Millisecond)) // Trace, Metrics, Timeout, Recover
//	byIP := middleware.KeyArgs("ip")
//	r.With(middleware.Cache(time.Minute, byIP), middleware.Coalesce(byIP)).
//		Handle("ip-rep", lookup)
//
// [Default] has the order in which they work together, and why.
//
// The last argument of most is an optional configuration: Trace() or
// Trace(TraceConfig{…}). Its zero value works. A wrong configuration, or more than one,
// panics in the call.
//
// Telemetry is OpenTelemetry's: without an SDK, [Trace] and [Metrics] cost little and
// have no effect. Spans, log lines and metrics do not contain values of fields that are
// tagged secret.
package middleware
