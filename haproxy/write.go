package haproxy

import "github.com/spoke-go/spoke/haproxy/internal/write"

// Files are HAProxy's configuration, as texts.
type Files struct {
	// SPOE is the SPOE file, which the frontend's filter line loads.
	SPOE string
	// Backend is a file beside haproxy.cfg with the agents' backend:
	// `haproxy -f agents.cfg -f haproxy.cfg`. It comes first: a larger buffer must
	// be known where the filter line is read.
	Backend string
	// Frontend are lines for the frontend in haproxy.cfg.
	Frontend string
	// Site are lines for each backend of the site in haproxy.cfg: rules about what is
	// asked after the frontend's rules. Empty if nothing is.
	Site string
}

// Write makes HAProxy's configuration for an agent. The error names all that is not said:
// messages without an event or group, arguments without a sample.
func Write(a Agent, c Config) (Files, error) {
	f, err := write.Write(a, write.Settings(c))
	return Files(f), err
}
