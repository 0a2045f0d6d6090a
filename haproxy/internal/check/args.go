package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkArgs compares a message's arguments with the handler's.
func (c *checker) checkArgs(m *syntax.SPOEMessage, known *model.Message) {
	used := make([]bool, len(known.Args))
	for i, s := range m.Args {
		k := findArg(known, s, i)
		if k < 0 {
			if !known.AnyArgs {
				c.find(ArgumentUnknown, s.At,
					fmt.Sprintf("the message %q has %s, which its handler does not take", m.Name, label(&s, i)),
					"HAProxy sends it with each request, and no handler reads it. If its name has a typo, the argument that was meant is missing.",
					"Remove it, or give it the name of a field of the handler."+takes(known))
			}
			continue
		}
		if used[k] {
			continue // the first one counts
		}
		used[k] = true
		if known.SetsVars() {
			c.checkNull(m, &known.Args[k], s)
		}
		c.checkType(m, known, &known.Args[k], s, i)
	}
	for k, a := range known.Args {
		if !a.Required || used[k] || !hasGroup(known, a, used) {
			continue
		}
		at := m.Head
		if len(m.Args) > 0 {
			at = m.Args[0].At
		}
		fix := fmt.Sprintf("Write %s into its args line.", example(&a))
		c.find(ArgumentMissing, at,
			fmt.Sprintf("the message %q is sent without the argument %q, which its handler requires", m.Name, a.Label()),
			"Each such message fails: the handler is not called, and no variable is set.", fix)
	}
}

// hasGroup reports whether the struct with an argument's field exists: a pointer to a
// struct is nil if HAProxy sends none of its arguments.
func hasGroup(m *model.Message, a model.Arg, used []bool) bool {
	if a.Group == "" {
		return true
	}
	for k, o := range m.Args {
		if used[k] && strings.HasPrefix(o.Field, a.Group+".") {
			return true
		}
	}
	return false
}

// example returns an argument as an args line could have it.
func example(a *model.Arg) string {
	fetch := a.Fetch
	if fetch == "" {
		fetch = "<sample>"
	}
	switch {
	case a.Name != "":
	case a.Pos != nil:
		return fmt.Sprintf("%q as number %d", fetch, *a.Pos+1)
	default:
		return fmt.Sprintf("%q", fetch)
	}
	return fmt.Sprintf("%q", a.Name+"="+fetch)
}

// findArg returns the index of the handler's argument that is sent as number i, or -1.
func findArg(m *model.Message, s syntax.SentArg, i int) int {
	return slices.IndexFunc(m.Args, func(a model.Arg) bool {
		if s.Name != "" {
			return a.Name == s.Name
		}
		return a.Pos != nil && *a.Pos == i || a.Pos == nil && a.Name == "" && isFetched(&a, s.Fetch)
	})
}

// isFetched reports whether s is the argument's sample, with or without quotes.
func isFetched(a *model.Arg, fetch string) bool {
	w, err := syntax.Words(a.Fetch, nil)
	return err == nil && len(w) == 1 && w[0] == fetch
}

func label(s *syntax.SentArg, i int) string {
	if s.Name != "" {
		return fmt.Sprintf("an argument %q", s.Name)
	}
	return fmt.Sprintf("an argument without a name, %q, as number %d", s.Fetch, i+1)
}

// takes lists the handler's arguments, for a text.
func takes(m *model.Message) string {
	var names []string
	for _, a := range m.Args {
		names = append(names, a.Label())
	}
	return sentence("It takes", names)
}

// checkType reports whether the field can take the argument's type.
func (c *checker) checkType(m *syntax.SPOEMessage, known *model.Message, a *model.Arg, s syntax.SentArg, i int) {
	types := samples.Types(s.Fetch)
	if samples.Fits(types, a.Types) {
		return
	}
	c.find(ArgumentType, s.At,
		fmt.Sprintf("the message %q has %s as %s, from %s, and the handler's field %s (%s) takes %s",
			m.Name, label(&s, i), strings.Join(types, " or "), s.Fetch, a.Field, a.Go, strings.Join(a.Types, ", ")),
		"Each such message fails: the handler is not called, and no variable is set.",
		"Send another sample"+samples.Convert(a.Types)+", or change the field's type.")
}
