package haproxy

import "github.com/spoke-go/spoke/haproxy/internal/write"

// Files are HAProxy's configuration, as texts.
type Files struct {
	// SPOE is the SPOE file, which the frontend's filter line loads.
	SPOE string
	// Backend is a file beside haproxy.cfg with the agents' backend:
	// `haproxy -f agents.cfg -f haproxy.cfg`. It comes first: HAProxy must know a
	// larger buffer before it reads the filter line.
	Backend string
	// Frontend are lines for the frontend in haproxy.cfg.
	Frontend string
	// Site are lines for each backend of the site in haproxy.cfg, for messages that
	// HAProxy sends after the frontend's rules. It is empty if there are none.
	Site string
}

// Write makes HAProxy's configuration for an agent. The error lists all that is
// missing: messages without an event or group, arguments without a sample.
func Write(a Agent, c Config) (Files, error) {
	f, err := write.Write(a, write.Settings(c))
	return Files(f), err
}
