package spoetest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// DefaultTimeout is the longest time that a call of a Client waits for the agent.
const DefaultTimeout = 10 * time.Second

// Client is one connection of HAProxy's to an agent. Dial, Engine.Dial and
// NewClient make one.
//
// Its methods may be called concurrently: writes do not mix, and an ACK goes to
// the call that waits for it. The Client starts no goroutine: bytes are read
// only while a call waits for a frame.
//
// Each call that waits ends with its ctx, and after the Client's timeout at the
// latest; it then fails with an error that is context.DeadlineExceeded. That
// leaves the connection usable.
type Client struct {
	conn    net.Conn
	timeout time.Duration
	stream  atomic.Uint64 // the next NOTIFY's stream-id

	// writing is held by the goroutine that writes.
	writing chan struct{}
	segment Segmenter // guarded by writing

	// reading is held by the goroutine that reads; it guards in and buf.
	reading chan struct{}
	in      []byte // bytes received, not yet a whole frame
	buf     []byte // the array that in is a part of

	mu      sync.Mutex
	hello   codec.AgentHello
	limit   uint32        // the longest frame the agent may send, in bytes
	inbox   []codec.Frame // frames received, not yet handed out
	end     error         // the error that ended the reading side
	changed chan struct{} // closed and replaced when inbox or end changes
}

// maxFrame bounds the frames from an agent before any size is agreed, in bytes.
const maxFrame = 64 << 20

// NewClient returns a Client on a connection on which nothing was sent yet.
// Each of its calls waits for at most timeout; 0 means DefaultTimeout.
func NewClient(conn net.Conn, timeout time.Duration) *Client {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	c := &Client{
		conn:    conn,
		timeout: timeout,
		limit:   maxFrame,
		writing: make(chan struct{}, 1),
		reading: make(chan struct{}, 1),
		changed: make(chan struct{}),
	}
	c.stream.Store(1)
	return c
}

// Conn returns the connection. Reading from it or writing to it goes past the
// Client.
func (c *Client) Conn() net.Conn { return c.conn }

// AgentHello returns the agent's answer in the handshake, zero before it.
func (c *Client) AgentHello() codec.AgentHello {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello
}

// bound gives ctx the Client's timeout.
func (c *Client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.timeout, &timeoutError{c.timeout})
}

// timeoutError is a context.DeadlineExceeded that says how long it was.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string        { return fmt.Sprintf("nothing for %v", e.after) }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
func (e *timeoutError) Timeout() bool        { return true }

// watch ends reads or writes with ctx, by the deadline that set sets. The
// returned func ends the watch and takes the deadline away again.
func watch(ctx context.Context, set func(time.Time) error) (stop func()) {
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = set(time.Unix(1, 0)) // fails only on a closed connection, on which nothing waits
	})
	return func() {
		if !cancel() {
			<-ended
			_ = set(time.Time{})
		}
	}
}

// take takes a token, or returns why ctx has ended.
func take(ctx context.Context, token chan<- struct{}) error {
	select {
	case token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
