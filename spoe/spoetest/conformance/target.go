package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Target is an agent that the wire contract is held against. Network and Addr, or Dial,
// must be set. The other fields describe the agent; a case that needs an empty one is
// skipped, and says so.
type Target struct {
	// Network and Addr are where the agent listens, as in net.Dial.
	Network, Addr string
	// TLS, if not nil, is used on top of the socket.
	TLS *tls.Config
	// Dial, if not nil, connects instead. Where it returns a *Conn, the sizes of
	// the agent's writes are checked as well.
	Dial func(ctx context.Context) (net.Conn, error)

	// Message is a message that the agent knows and answers at once, of a few
	// hundred bytes at most. The zero Message stands for one named "spoetest",
	// which the agent need not know: it has to be acknowledged all the same.
	Message spoetest.Message
	// Expect, if not nil, checks the answer to Message.
	Expect func(spoetest.Vars) error

	// Messages names the messages of the contract (see ContractMessages) that
	// the agent has a handler for.
	Messages []string

	// MaxFrameSize is the agent's own limit in bytes; 0 means not known.
	MaxFrameSize uint32
	// MaxPayload is the longest payload in bytes that the agent puts together
	// from fragments; 0 means not known.
	MaxPayload int
	// The agent's timeouts, as in spoe.Agent; 0 means not known. Cases last as
	// long as they do, so an agent under test is better given short ones.
	HelloTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	// NoEmptyACK reports that the agent puts an action without effect into an ACK
	// that would have none.
	NoEmptyACK bool

	// Spare, if not nil, starts another agent of the same kind and returns it
	// with a func that shuts it down gracefully and returns when it has ended.
	// It is for the cases that end the agent.
	Spare func(ctx context.Context) (agent *Target, shutdown func(context.Context) error, err error)

	// Wait is the time that the agent may take for an immediate answer. It bounds each
	// step of a case. Default: 5 s.
	Wait time.Duration
}

// ErrSkipped is the error of a case that could not run against the target. The text
// names the fields that the target does not set.
var ErrSkipped = errors.New("skipped")

func skipf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSkipped, fmt.Sprintf(format, args...))
}

const defaultWait = 5 * time.Second

func (t *Target) wait() time.Duration {
	if t.Wait > 0 {
		return t.Wait
	}
	return defaultWait
}

// message returns the message for cases in which any will do.
func (t *Target) message() spoetest.Message {
	if t.Message.Name != "" {
		return t.Message
	}
	return spoetest.Msg("spoetest", spoetest.Arg("ip", "192.0.2.1"))
}

func (t *Target) expect(v spoetest.Vars) error {
	if t.Expect != nil {
		return t.Expect(v)
	}
	return nil
}

// knows returns an error that is ErrSkipped if a message is one of the contract that the
// agent does not have.
func (t *Target) knows(message string) error {
	if slices.Contains(ContractMessages(), message) && !slices.Contains(t.Messages, message) && message != t.Message.Name {
		return skipf("Target.Messages does not have %q", message)
	}
	return nil
}

func (t *Target) connect(ctx context.Context) (*spoetest.Client, error) {
	if t.Dial == nil {
		return (&spoetest.Dialer{TLS: t.TLS, Timeout: t.wait()}).Connect(ctx, t.Network, t.Addr)
	}
	ctx, cancel := context.WithTimeout(ctx, t.wait())
	defer cancel()
	conn, err := t.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("spoetest: %w", err)
	}
	return spoetest.NewClient(conn, t.wait()), nil
}
