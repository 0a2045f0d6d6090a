package conf

import "fmt"

// Error is a mistake in the configuration.
type Error struct {
	Place string // agent.yaml:3, -limit, AGENT_LIMIT; empty for a default
	Key   string // lists[1].score; empty for the whole file
	Text  string // the mistake, and the text to write instead
}

func (e *Error) Error() string {
	text := e.Text
	if e.Key != "" && e.Key != e.Place {
		text = e.Key + ": " + text
	}
	if e.Place != "" {
		text = e.Place + ": " + text
	}
	return text
}

// Wrong returns an error for the setting of that key, for a Validate method. Load adds
// the place of the setting.
func Wrong(key, format string, args ...any) *Error {
	return &Error{Key: key, Text: fmt.Sprintf(format, args...)}
}
