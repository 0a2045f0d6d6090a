package command

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
)

// event is a frame that went by, or something else that a connection did.
type event struct {
	recording.Record // without a Frame: text
	text             string
	ended            bool // the connection's last event
}

// proxy passes bytes on between HAProxy and an agent.
type proxy struct {
	dial   func(ctx context.Context) (net.Conn, error)
	begin  time.Time
	queues []*queue // each gets every event

	notifies, acks atomic.Uint64
	conns          int // of serve alone
}

// drain is the longest wait for NOTIFYs in flight at the end.
const drain = 5 * time.Second

// serve accepts connections until ctx ends, and returns when all of them end.
func (p *proxy) serve(ctx context.Context, ln net.Listener) error {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	var wg sync.WaitGroup
	var acceptErr error
	for {
		haproxy, err := ln.Accept()
		if err != nil {
			if ctx.Err() == nil {
				acceptErr = err
			}
			break
		}
		p.conns++
		c := &tapped{proxy: p, n: p.conns, haproxy: haproxy}
		wg.Go(func() { c.serve(ctx, hard) }) // ends with either side, or drain after ctx
	}
	ln.Close()
	timer := time.AfterFunc(drain, cancel)
	defer timer.Stop()
	wg.Wait()
	return acceptErr
}

// tell hands an event to the part of tap that shows or records it. It does not wait for
// them.
func (p *proxy) tell(e event) {
	e.At = time.Since(p.begin)
	for _, q := range p.queues {
		q.put(e)
	}
}
