package inspect

import (
	"context"
	"time"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// Config configures a [Page]. The zero Config makes a page that shows only messages.
type Config struct {
	// Name is the agent's name in the title. Default: "agent".
	Name string
	// Addr is the agent's address in the command lines that the page offers.
	// Default: 127.0.0.1:9000.
	Addr string
	// Agent has the counters and the open connections. Each open page reads them once a
	// second. If it is nil, the tab Connections is empty.
	Agent *spoe.Agent
	// Routes returns the routes, as [router.Router.Routes] does.
	Routes func() []router.RouteInfo
	// HAProxy returns the files of HAProxy's configuration to show. It is called
	// whenever a page asks for the configuration.
	HAProxy func() ([]File, error)
	// Findings returns the findings of a check of HAProxy's configuration; a finding
	// may have several lines. Nil: there was no check.
	Findings func() ([]string, error)
	// Unchecked is the page's text if Findings is nil. Default: no text.
	Unchecked string
	// TraceID returns the id of the trace that a message's context has, or "". Nil: the
	// id comes from the argument traceparent.
	TraceID func(context.Context) string
	// Secrets are names of arguments and variables, variables without their scope,
	// whose values are hidden in addition to fields with the tag option secret.
	Secrets []string
	// MaxViewers bounds how many pages can be open. Default: 16.
	MaxViewers int
}

// connection is one connection from HAProxy, as the page shows it.
type connection struct {
	Peer     string    `json:"peer"`
	EngineID string    `json:"engine"`
	Applet   bool      `json:"applet"` // HAProxy up to 3.0; false: 3.1 and later
	Since    time.Time `json:"since"`
	InFlight int       `json:"inFlight"`
	// MaxFrameSize is the agreed size in bytes.
	MaxFrameSize int    `json:"maxFrameSize"`
	Fragments    uint64 `json:"fragments"`
	Phase        string `json:"phase"`
}

// A File is one file of HAProxy's configuration.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}
