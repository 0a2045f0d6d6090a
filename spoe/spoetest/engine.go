package spoetest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// Engine is HAProxy in a test: a connection to an agent that runs in memory. Its own
// methods fail the test where the Client's methods return an error. They are for the test's
// goroutine; others use the Client's.
type Engine struct {
	*Client

	tb    testing.TB
	agent *spoe.Agent
	ln    *Listener

	mu      sync.Mutex
	clients []*Client // closed at the end of the test
}

// endTimeout is the time that an agent and its handlers may take to end with their
// test. It is for a machine that runs many tests at once.
const endTimeout = 30 * time.Second

// New runs an agent with this handler, which may be a router, until the test
// ends, and connects to it. The agent's log goes to the test's.
func New(tb testing.TB, h spoe.Handler) *Engine {
	tb.Helper()
	return NewAgent(tb, agentOf(tb, h))
}

// agentOf returns an agent with this handler, whose log goes to the test's.
func agentOf(tb testing.TB, h spoe.Handler) *spoe.Agent {
	level := &slog.HandlerOptions{Level: slog.LevelDebug}
	return &spoe.Agent{Handler: h, Logger: slog.New(slog.NewTextHandler(tb.Output(), level))}
}

// NewAgent is New with an agent of the caller's, whose limits and timeouts hold.
// At the end of the test, NewAgent's cleanup closes the connections and then the agent.
// The test fails if the agent takes more than 30 seconds to end, or if handlers that do
// not heed their context still run then.
func NewAgent(tb testing.TB, a *spoe.Agent) *Engine {
	tb.Helper()
	e := &Engine{tb: tb, agent: a, ln: NewListener()}
	ended := make(chan error, 1)
	// It ends with the agent's Close; the cleanup waits for it.
	go func() { ended <- a.Run(context.Background(), e.ln) }()
	tb.Cleanup(func() { e.end(ended) })
	e.Client = e.Dial(DefaultHello())
	return e
}

func (e *Engine) end(ended <-chan error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.clients {
		_ = c.Close() // may be closed already
	}
	endAgent(e.tb, e.agent, ended)
}

// endAgent ends an agent with its test.
func endAgent(tb testing.TB, a *spoe.Agent, ended <-chan error) {
	tb.Helper()
	_ = a.Close() // Run returns the error that matters
	late := time.NewTimer(endTimeout)
	defer late.Stop()
	select {
	case err := <-ended:
		if err != nil && !errors.Is(err, spoe.ErrAgentClosed) {
			tb.Errorf("spoetest: the agent ended with: %v", err)
		}
	case <-late.C:
		tb.Errorf("spoetest: the agent has not ended within %v", endTimeout)
		return
	}
	// The agent gives a handler up after a second, which may not be enough where the
	// machine is busy.
	s := a.Stats()
	for ; s.InFlight > 0 || s.Late > 0; s = a.Stats() {
		select {
		case <-time.After(time.Millisecond):
			continue
		case <-late.C:
		}
		tb.Errorf("spoetest: %d NOTIFYs in flight and %d late handlers are left: their handlers do not heed their context", s.InFlight, s.Late)
		return
	}
}

// Agent returns the agent.
func (e *Engine) Agent() *spoe.Agent { return e.agent }

// Listener returns the agent's listener.
func (e *Engine) Listener() *Listener { return e.ln }

// Connect makes another connection, without a handshake. It is closed when the
// test ends.
func (e *Engine) Connect() *Client {
	e.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), DefaultTimeout)
	defer cancel()
	conn, err := e.ln.DialContext(ctx)
	if err != nil {
		e.tb.Fatalf("spoetest: the agent does not accept: %v", err)
	}
	c := NewClient(conn, 0)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clients = append(e.clients, c)
	return c
}

// Dial makes another connection, with a handshake.
func (e *Engine) Dial(h Hello) *Client {
	e.tb.Helper()
	c := e.Connect()
	if _, err := c.Handshake(e.tb.Context(), h); err != nil {
		e.tb.Fatal(err)
	}
	return c
}

// Ask sends a NOTIFY with one message and returns the variables that the ACK
// sets.
func (e *Engine) Ask(message string, args ...Argument) Vars {
	e.tb.Helper()
	return e.AskAll(Msg(message, args...))
}

// AskAll is Ask with any number of messages in the one NOTIFY.
func (e *Engine) AskAll(msgs ...Message) Vars {
	e.tb.Helper()
	v, err := e.Client.AskAll(e.tb.Context(), msgs...)
	if err != nil {
		e.tb.Fatal(err)
	}
	return v
}
