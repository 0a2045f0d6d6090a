package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
	"github.com/spoke-go/spoke/router"
)

// Validate returns a mistake that a router would have refused: an Agent may also come from
// code or a file.
func (a *Agent) Validate() error {
	if scope, name, _ := strings.Cut(a.FailureVar, "."); a.FailureVar != "" {
		if err := checkVar(scope, name); err != nil {
			return fmt.Errorf("the variable of failures: %w", err)
		}
	}
	names := map[string]bool{}
	for i, m := range a.Messages {
		if m.Name == "" {
			return fmt.Errorf("message %d has no name", i+1)
		}
		if names[m.Name] {
			return fmt.Errorf("message %q is there twice", m.Name)
		}
		names[m.Name] = true
		if err := m.validate(); err != nil {
			return fmt.Errorf("message %q: %w", m.Name, err)
		}
	}
	return nil
}

func (m *Message) validate() error {
	for _, name := range []string{m.Name, m.Group, m.Engine} {
		if r, ok := syntax.Refused(name, "-:"); ok {
			return fmt.Errorf("the name %q has the character %q: use letters, digits, '-', '_', '.' and ':'", name, r)
		}
	}
	switch {
	case m.Event != "" && !slices.Contains(router.Events(), router.Event(m.Event)):
		return fmt.Errorf("HAProxy has no event %q", m.Event)
	case m.Condition != "" && !strings.HasPrefix(m.Condition, "if ") && !strings.HasPrefix(m.Condition, "unless "), syntax.HasControl(m.Condition):
		return fmt.Errorf("the condition %q is not one line that begins with if or unless", m.Condition)
	}
	for _, a := range m.Args {
		switch {
		case a.Pos != nil && (*a.Pos < 0 || *a.Pos >= codec.MaxArgs):
			return fmt.Errorf("no argument is at position %d", *a.Pos)
		case a.Name == "" && a.Pos == nil && a.Fetch == "":
			return errors.New("an argument has neither a name nor a position")
		case syntax.HasControl(a.Name + a.Fetch + a.Field + a.Go + strings.Join(a.Types, "")):
			return fmt.Errorf("the argument %q has a control character", a.Label())
		}
	}
	for _, v := range m.Vars {
		if err := checkVar(v.Scope, v.Beginning()); err != nil {
			return err
		}
		if types := strings.Join(v.Types, " "); syntax.HasControl(types) {
			return fmt.Errorf("variable %q: its types %q have a control character", v.Name, types)
		}
	}
	return nil
}

func checkVar(scope, name string) error {
	s, ok := codec.ParseScope(scope)
	if !ok {
		return fmt.Errorf("variable %q: %q is no scope of HAProxy's", name, scope)
	}
	return codec.CheckVarName(s, name)
}
