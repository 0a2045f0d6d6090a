package model

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
)

// Label names an argument in a text.
func (a *Arg) Label() string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Pos != nil:
		return fmt.Sprintf("#%d", *a.Pos)
	}
	return a.Fetch
}

// InOrder returns the arguments in the order in which they are sent: arguments with a
// position and no name at their position, the others around them in the order of the
// struct.
func (m *Message) InOrder() []Arg {
	sent := slices.DeleteFunc(slices.Clone(m.Args), func(a Arg) bool { return a.Shared && !m.HasSample(a.Fetch) })
	placed := make([]*Arg, len(sent))
	var rest []*Arg
	for i := range sent {
		switch a := &sent[i]; {
		case a.Name == "" && a.Pos != nil && *a.Pos < len(placed) && placed[*a.Pos] == nil:
			placed[*a.Pos] = a
		default:
			rest = append(rest, a)
		}
	}
	args := make([]Arg, 0, len(placed))
	for _, a := range placed {
		if a == nil {
			a, rest = rest[0], rest[1:]
		}
		args = append(args, *a)
	}
	return args
}

// CheckPositions returns an error if an argument without a name is not at the position
// that the handler reads.
func (m *Message) CheckPositions() error {
	for i, a := range m.InOrder() {
		if a.Name == "" && a.Pos != nil && *a.Pos != i {
			return fmt.Errorf("the argument %q would be at position %d: there are not enough arguments before it; give it a name", a.Label(), i)
		}
	}
	return nil
}

// HasSample reports whether HAProxy has a sample when it sends the message. It
// reports true for a sample that is not in the table: HAProxy may know more.
func (m *Message) HasSample(expr string) bool { return samples.On(expr, m.On()) }
