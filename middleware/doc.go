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
// Most take a configuration as their last argument, which may be left out:
// Trace() or Trace(TraceConfig{…}). Its zero value works. A wrong configuration, or
// more than one, panics in the call.
//
// Telemetry is OpenTelemetry's: without an SDK installed, [Trace] and [Metrics]
// cost little and go nowhere. Values of fields that are tagged secret are in no
// span, log line or metric.
package middleware
