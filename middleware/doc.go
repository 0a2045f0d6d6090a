// Package middleware has what most agents wrap around their handlers. Each is
// a [spoe.Middleware] and can stand on a router, a group or a route of one, or
// around a single handler:
//
//	r := router.New()
//	r.Use(middleware.Recover(), middleware.Trace(), middleware.Timeout(20*time.Millisecond))
//
// The first is outermost. In that order a span sees the timeout, and nothing
// escapes Recover.
package middleware
