package model

import (
	"time"

	"github.com/spoke-go/spoke/router"
)

// Agent describes an agent's messages with their arguments and variables. Package
// haproxy writes HAProxy's configuration from it, and checks a configuration against
// it. haproxy.Describe makes it from a router. -print-routes writes it as JSON.
type Agent struct {
	Messages []Message `json:"messages"`
	// Any reports that the agent also handles messages that are not listed.
	Any bool `json:"any,omitempty"`
	// FailureVar is the variable that a failed handler sets (router.ErrorVar),
	// with its scope, such as txn.failed; empty if there is none.
	FailureVar string `json:"failure_var,omitempty"`
	// TLS reports whether the agent speaks TLS; nil where that is not known.
	TLS *bool `json:"tls,omitempty"`
	// AcceptProxy reports that the agent expects a PROXY header (spoe.Agent.AcceptProxy).
	AcceptProxy bool `json:"accept_proxy,omitempty"`
}

// Message is a message that the agent handles.
type Message struct {
	Name string `json:"name"`
	// Engine is the SPOE engine that sends the message, or empty for Config.Engine.
	Engine string `json:"engine,omitempty"`
	// Event with Condition and Group say when HAProxy sends it; all are empty if the
	// agent does not say. The group's rule sends a message with both, if the condition
	// holds.
	Event     string `json:"event,omitempty"`
	Condition string `json:"condition,omitempty"` // "if …" or "unless …"
	Group     string `json:"group,omitempty"`
	// Stage is the event whose rules send the group. Package write sets it.
	Stage router.Event `json:"-"`
	Args  []Arg        `json:"args,omitempty"`
	Vars  []Var        `json:"vars,omitempty"`
	// AnyArgs reports that the handler may read other arguments, AnyVars that it may
	// set other variables.
	AnyArgs bool `json:"any_args,omitempty"`
	AnyVars bool `json:"any_vars,omitempty"`
	// Buffer is the minimum of tune.bufsize in bytes, or 0.
	Buffer int `json:"buffer,omitempty"`
	// Deadline is the longest time from the message's arrival to its ACK; 0 if it is
	// not known.
	Deadline Duration `json:"deadline,omitempty"`
	// Site is the place of the registration: file:line.
	Site string `json:"site,omitempty"`
}

// Arg is an argument of a message.
type Arg struct {
	Name string `json:"name,omitempty"` // empty for one without a name
	// Pos is the position of an argument without a name, counted from 0; nil if it is
	// bound only by name.
	Pos *int `json:"pos,omitempty"`
	// Fetch is its sample expression in HAProxy's configuration, or empty.
	Fetch string `json:"fetch,omitempty"`
	// Shared reports that it belongs to all messages, except those on events at which
	// HAProxy does not have the sample.
	Shared bool `json:"shared,omitempty"`
	// Types are the SPOP types that can be bound, such as INT64; none means all.
	Types    []string `json:"types,omitempty"`
	Required bool     `json:"required,omitempty"`
	Field    string   `json:"field,omitempty"` // the field in the handler's struct
	// Group is the innermost struct around the field that is behind a pointer, or
	// empty. If HAProxy sends no argument for the struct, none of its fields is
	// required.
	Group string `json:"group,omitempty"`
	Go    string `json:"go,omitempty"` // the field's type
	// Secret reports whether logs and tools must not show the value.
	Secret bool `json:"secret,omitempty"`
}

// Var is a variable that a message's handler sets.
type Var struct {
	Scope string `json:"scope"` // proc, sess, txn, req or res
	Name  string `json:"name"`  // without scope and prefix
	// Pattern reports that Name ends with '*' and stands for all names that begin so.
	Pattern bool     `json:"pattern,omitempty"`
	Types   []string `json:"types,omitempty"`
	// Always reports that each answer sets it.
	Always bool `json:"always,omitempty"`
	// Secret reports whether logs and tools must not show the value.
	Secret bool `json:"secret,omitempty"`
}

// Duration is a time.Duration whose JSON is text such as "200ms".
type Duration time.Duration

// String returns the text of the time.Duration.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns the result of String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Message returns the message of that name, or nil.
func (a *Agent) Message(name string) *Message {
	for i := range a.Messages {
		if a.Messages[i].Name == name {
			return &a.Messages[i]
		}
	}
	return nil
}
