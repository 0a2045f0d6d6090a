package model

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteRoutes writes the agent as JSON.
func (a Agent) WriteRoutes(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(a)
}

// ReadRoutes reads the output of WriteRoutes.
func ReadRoutes(r io.Reader) (Agent, error) {
	var a Agent
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return Agent{}, fmt.Errorf("haproxy: these are no routes as -print-routes writes them: %w", err)
	}
	if err := a.Validate(); err != nil {
		return Agent{}, fmt.Errorf("haproxy: these are no routes as -print-routes writes them: %w", err)
	}
	return a, nil
}
