package inspect

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// Middleware returns the middleware that feeds the page. Put it outside of middleware that
// answers in a handler's place, such as Timeout and Recover, and inside of middleware that
// makes spans, if [Config.TraceID] reads them; middleware.DefaultConfig has Observers for
// this.
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
	last atomic.Pointer[count] // of the previous message: most handlers have one name
}

// observedBounded also reports the deadline of its messages.
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

// ServeSPOE calls the next handler, and observes the message if a page is open.
func (o *observed) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	viewers := o.page.viewers.Load()
	if viewers == nil {
		return o.next.ServeSPOE(ctx, msg, acts)
	}
	c := o.last.Load()
	if !c.fits(&o.page.counts, msg.Name) {
		c = o.page.counts.of(msg.Name)
		o.last.Store(c)
	}
	return o.page.serve(ctx, msg, acts, o.next, c, *viewers)
}

func (p *Page) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, next spoe.Handler, c *count, viewers []*viewer) (err error) {
	c.inFlight.Add(1)
	start, panicked := time.Since(p.epoch), true
	defer func() { // a panic passes through here
		c.inFlight.Add(-1)
		took := time.Since(p.epoch) - start
		e := event{ctx: ctx, msg: msg, acts: acts, err: err, start: start, took: took, panicked: panicked}
		p.observe(c, &e, viewers)
	}()
	err = next.ServeSPOE(ctx, msg, acts)
	panicked = false
	return err
}

// observe counts a message and offers it to the viewers.
func (p *Page) observe(c *count, e *event, viewers []*viewer) {
	e.outcome = e.classify()
	c.add(p.epoch.Add(e.start+e.took), e.outcome, e.took)
	if p.slowest.wants(e.took) {
		p.slowest.add(e.sample(p))
	}
	for _, v := range viewers {
		v.offer(p, e)
	}
}
