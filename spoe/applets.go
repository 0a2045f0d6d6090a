package spoe

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// appletQuiet is the time for which the connections of HAProxy up to 3.0 must be quiet to be
// closed.
const appletQuiet = time.Second

// applets returns the connections of HAProxy up to 3.0.
func (s *agentState) applets() []*conn {
	return slices.DeleteFunc(s.openConns(), func(c *conn) bool { return !c.haproxy.Load().applet })
}

// endApplets ends connections of HAProxy up to 3.0. It returns when they have ended, or ctx
// has. Connections under traffic end one after another, each with a full window. HAProxy
// then sends on connections that were quiet, and a NOTIFY would cross their DISCONNECT. So
// quiet ones end last, when all are quiet for appletQuiet, or at the time late.
func endApplets(ctx context.Context, conns []*conn, gap time.Duration, late time.Time) {
	t := now()
	slices.SortFunc(conns, func(a, b *conn) int { // quiet ones last
		return cmp.Compare(b.clock.lastFrame.Load(), a.clock.lastFrame.Load())
	})
	after := func(i int) int64 { return int64(i) * int64(gap) }
	for i, c := range conns {
		c.retire(retirement{at: t, quiet: maxSpan, force: t + after(i), late: since(late) + after(i)})
	}
	for {
		quiet := min(lastActive(conns)+int64(appletQuiet), since(late))
		conns = slices.DeleteFunc(conns, func(c *conn) bool { return isClosed(c.ended) })
		if len(conns) == 0 || quiet <= now() {
			break
		}
		wait, cancel := context.WithTimeout(ctx, time.Duration(quiet-now()))
		awaitEnd(wait, conns[0])
		cancel()
		if ctx.Err() != nil {
			return
		}
	}
	t = now()
	for i, c := range conns {
		c.retire(retirement{at: t + after(i), quiet: appletQuiet, force: never, late: never})
	}
	for _, c := range conns {
		awaitEnd(ctx, c)
	}
}

// lastActive returns when something last came or went on any of the connections.
func lastActive(conns []*conn) int64 {
	last := int64(math.MinInt64)
	for _, c := range conns {
		if c.isBusy() {
			return now()
		}
		last = max(last, c.clock.lastFrame.Load())
	}
	return last
}

// awaitEnd waits until the connection has ended, or ctx has.
func awaitEnd(ctx context.Context, c *conn) {
	select {
	case <-c.ended:
	case <-ctx.Done():
	}
}
