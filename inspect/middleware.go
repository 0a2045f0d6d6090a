package inspect

import (
	"context"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// Middleware returns the middleware that feeds the page. Let it be the outermost,
// so that it sees what the others answer.
func (p *Page) Middleware() spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler {
		h := &observed{page: p, next: next}
		if b, ok := next.(spoe.Bounded); ok {
			return &observedBounded{observed: h, bound: b.Bound()}
		}
		return h
	}
}

// observed is a handler whose messages the page sees.
type observed struct {
	page *Page
	next spoe.Handler
}

// observedBounded also says within which time its messages are acknowledged.
type observedBounded struct {
	*observed
	bound time.Duration
}

// Bound returns the bound of the handler that is observed.
func (o *observedBounded) Bound() time.Duration { return o.bound }

// ReadsArgs returns the arguments that the observed handler reads by name.
func (o *observed) ReadsArgs() []string {
	if r, ok := o.next.(spoe.ArgReader); ok {
		return r.ReadsArgs()
	}
	return nil
}

// ServeSPOE calls the next handler, and observes the message if somebody looks.
func (o *observed) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	if o.page.looking.Load() == 0 {
		return o.next.ServeSPOE(ctx, msg, acts)
	}
	return o.page.serve(ctx, msg, acts, o.next)
}

func (p *Page) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, next spoe.Handler) (err error) {
	c := p.counts.of(msg.Name)
	c.inFlight.Add(1)
	start, panicked := time.Now(), true
	defer func() { // a panic passes through here
		c.inFlight.Add(-1)
		e := event{msg: msg, acts: acts, err: err, start: start, took: time.Since(start), panicked: panicked}
		p.observe(c, &e)
	}()
	err = next.ServeSPOE(ctx, msg, acts)
	panicked = false
	return err
}

// observe counts a message and offers it to the viewers.
func (p *Page) observe(c *count, e *event) {
	e.outcome = e.classify()
	now := e.start.Add(e.took)
	c.add(now, e.outcome, e.took)
	if p.slowest.wants(now, e.took) {
		p.slowest.add(now, e.sample(p))
	}
	p.viewersMu.RLock()
	defer p.viewersMu.RUnlock()
	for v := range p.viewers {
		v.offer(p, e, now)
	}
}
