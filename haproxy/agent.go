package haproxy

import (
	"io"

	"github.com/spoke-go/spoke/haproxy/internal/model"
)

// Agent describes an agent for [Write] and [Check]: its messages with their arguments and
// variables. [Describe] makes one from a router; -print-routes writes one as JSON.
type Agent = model.Agent

// Message is a message of an [Agent].
type Message = model.Message

// Arg is an argument of a [Message].
type Arg = model.Arg

// Var is a variable that the handler of a [Message] sets.
type Var = model.Var

// Duration is a time.Duration whose JSON is text such as "200ms".
type Duration = model.Duration

// ReadRoutes reads the JSON that Agent.WriteRoutes wrote.
func ReadRoutes(r io.Reader) (Agent, error) { return model.ReadRoutes(r) }
