package haproxy

import (
	"io"

	"github.com/spoke-go/spoke/haproxy/internal/model"
)

// An Agent is the subject of [Write] and [Check]: the messages that an agent handles,
// with their arguments and variables. [Describe] makes one from a router; -print-routes
// writes one as JSON.
type (
	Agent    = model.Agent
	Message  = model.Message
	Arg      = model.Arg
	Var      = model.Var
	Duration = model.Duration
)

// ReadRoutes reads the JSON that Agent.WriteRoutes wrote.
func ReadRoutes(r io.Reader) (Agent, error) { return model.ReadRoutes(r) }
