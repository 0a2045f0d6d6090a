package spoe

import (
	"net/http"
	"runtime/debug"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// This file has what github.com/criteo/haproxy-spoe-go has and Spoke's own way
// of writing an agent has not, so that its programs run unchanged.

// Config is the configuration of [NewWithConfig]; [Agent] has more. Zero means
// the agent's default.
type Config struct {
	ReadTimeout    time.Duration
	WriteTimeout   time.Duration
	IdleTimeout    time.Duration
	MaxConnections int
}

// New returns an agent that calls f with all messages of each NOTIFY, and
// acknowledges it with the actions that f returns; on an error, with none. It
// is the way of the predecessor; for a new agent see the package's documentation.
func New(f func(*MessageIterator) ([]Action, error)) *Agent {
	return NewWithConfig(f, Config{})
}

// NewWithConfig is [New] with limits.
func NewWithConfig(f func(*MessageIterator) ([]Action, error), cfg Config) *Agent {
	return &Agent{
		ReadTimeout:    cfg.ReadTimeout,
		WriteTimeout:   cfg.WriteTimeout,
		IdleTimeout:    cfg.IdleTimeout,
		MaxConnections: cfg.MaxConnections,
		notify:         f,
	}
}

// MessageIterator gives the messages of one NOTIFY.
type MessageIterator struct {
	// Message returns the message that Next read. It is valid until the next Next.
	Message Message

	msgs codec.Messages
	job  *job
}

// Next reads the next message into Message; it returns false after the last.
func (i *MessageIterator) Next() bool {
	if !i.msgs.Next() {
		return false
	}
	m := i.msgs.Message()
	name := i.job.c.shared.names.Get(m.Name)
	i.job.message(&i.Message, name, &m, new(Args))
	i.job.rename(name)
	return true
}

// Error returns nil: a NOTIFY that cannot be read is refused before the handler is
// called.
func (i *MessageIterator) Error() error { return i.msgs.Err() }

// Action is an [ActionSetVar] or an [ActionUnsetVar].
type Action interface {
	apply(*Actions) error
}

// ActionSetVar sets a variable; see [Actions.SetVar] for what Value may be.
type ActionSetVar struct {
	Name  string
	Scope VarScope
	Value any
}

func (a ActionSetVar) apply(acts *Actions) error { return acts.SetVar(a.Scope, a.Name, a.Value) }

// ActionUnsetVar unsets a variable.
type ActionUnsetVar struct {
	Name  string
	Scope VarScope
}

func (a ActionUnsetVar) apply(acts *Actions) error { return acts.UnsetVar(a.Scope, a.Name) }

// DecodeHeaders reads an argument that HAProxy made with req.hdrs_bin.
func DecodeHeaders(headers []byte) (http.Header, error) {
	return codec.DecodeHeadersBin(headers)
}

// handlePredecessor has the whole NOTIFY answered by the predecessor's kind of
// function.
func (j *job) handlePredecessor() {
	j.acts.truncate(0)
	actions, err := j.callPredecessor()
	if err != nil {
		j.settle(err)
		return
	}
	for _, a := range actions {
		if a == nil {
			continue
		}
		mark := len(j.acts.buf)
		err := applyAction(a, &j.acts)
		if err == nil && !j.fits(j.acts.buf) {
			err = ErrActionsTooBig
		}
		if err != nil { // one bad action does not cost the others
			j.acts.truncate(mark)
			j.count(readableError(err))
		}
	}
	j.settle(nil)
}

// applyAction adds an action; a nil pointer is an error.
func applyAction(a Action, acts *Actions) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return a.apply(acts)
}

// callPredecessor calls the function; a panic becomes an error.
func (j *job) callPredecessor() (actions []Action, err error) {
	returned := false
	defer func() {
		if !returned {
			err = j.panicked(recover())
		}
	}()
	actions, err = j.c.agent.notify(&MessageIterator{msgs: codec.NewMessages(j.payload), job: j})
	returned = true
	return actions, err
}
