package spoe

import (
	"net/http"
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
// is the way of the predecessor; for a new agent see the package's example.
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
	// Message is what Next has read. It is valid until the next Next.
	Message Message

	msgs codec.Messages
	job  *job
}

// Next reads the next message into Message; it returns false after the last.
func (i *MessageIterator) Next() bool {
	if !i.msgs.Next() {
		return false
	}
	i.Message = i.job.message(i.msgs.Message(), new(Args))
	return true
}

// Error returns what is wrong with the messages. It is nil: a NOTIFY that
// cannot be read is refused before the handler is called.
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
