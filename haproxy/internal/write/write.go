package haproxy

import (
	"errors"
	"slices"
)

// Files are HAProxy's half of the configuration, as texts.
type Files struct {
	// SPOE is the SPOE file, which the frontend's filter line loads.
	SPOE string
	// Backend is a file beside haproxy.cfg with the agents' backend:
	// `haproxy -f agents.cfg -f haproxy.cfg`. It comes first: a larger buffer must
	// be known where the filter line is read.
	Backend string
	// Frontend are lines for the frontend in haproxy.cfg.
	Frontend string
}

// Write makes HAProxy's half for an agent. The error names all that is not said:
// messages without an event or group, arguments without a sample.
func Write(a Agent, c Config) (Files, error) {
	c, err := c.complete(a)
	if err = errors.Join(err, a.checkWritable(c)); err != nil {
		return Files{}, err
	}
	return Files{SPOE: writeSPOE(a, c), Backend: writeBackend(a, c), Frontend: writeFrontend(a, c)}, nil
}

// at is where the message is registered, for a text.
func (m *Message) at() string {
	if m.Site == "" {
		return ""
	}
	return " (" + m.Site + ")"
}

// fullName is a variable's name in HAProxy's configuration.
func (c *Config) fullName(scope, name string) string { return scope + "." + c.Prefix + "." + name }

// groups returns the names of the groups, in the order in which they first occur.
func (a *Agent) groups() []string {
	var names []string
	for _, m := range a.Messages {
		if m.Group != "" && !slices.Contains(names, m.Group) {
			names = append(names, m.Group)
		}
	}
	return names
}

// members returns the names of the messages of a group or, for "", of those with
// an event.
func (a *Agent) members(group string) []string {
	var names []string
	for _, m := range a.Messages {
		if m.Group == group {
			names = append(names, m.Name)
		}
	}
	return names
}
