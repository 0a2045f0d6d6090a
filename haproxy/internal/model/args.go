package haproxy

import (
	"fmt"
	"slices"
)

// label names an argument in a text.
func (a *Arg) label() string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Pos != nil:
		return fmt.Sprintf("#%d", *a.Pos)
	}
	return a.Fetch
}

// inOrder returns the arguments in the order in which they are sent: those with a
// position and no name at theirs, the others around them as they are written.
func (m *Message) inOrder() []Arg {
	sent := slices.DeleteFunc(slices.Clone(m.Args), func(a Arg) bool { return a.Shared && !m.hasSample(a.Fetch) })
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

// checkPositions tells whether each argument without a name is where the handler
// looks for it.
func (m *Message) checkPositions() error {
	for i, a := range m.inOrder() {
		if a.Name == "" && a.Pos != nil && *a.Pos != i {
			return fmt.Errorf("the argument %q would be at position %d: there are not enough arguments before it; give it a name", a.label(), i)
		}
	}
	return nil
}
