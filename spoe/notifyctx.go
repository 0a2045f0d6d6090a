package spoe

import (
	"context"
	"time"
)

// notifyContext is the context of handlers that no middleware has given a
// nearer deadline. It ends NotifyTimeout after the NOTIFY's arrival, or a little
// later: the NOTIFYs of a stretch of time share one, so that it costs nothing
// per NOTIFY.
type notifyContext struct {
	ctx    context.Context
	cancel context.CancelFunc
	renew  time.Time // when the next stretch begins
}

// get returns the context for NOTIFYs that arrived at received.
func (n *notifyContext) get(c *conn, received time.Time) context.Context {
	if n.ctx == nil || !received.Before(n.renew) {
		// The old one is left to its own deadline: handlers may be using it.
		stretch := c.eng.limits.notify / 8
		n.renew = received.Add(stretch)
		n.ctx, n.cancel = context.WithDeadline(c.ctx, n.renew.Add(c.eng.limits.notify))
	}
	return n.ctx
}

// stop ends the last context; the earlier ones have the same parent, which has
// ended.
func (n *notifyContext) stop() {
	if n.cancel != nil {
		n.cancel()
	}
}
