package haproxy

import (
	"fmt"
	"slices"
	"strings"
)

// checkArgs compares the arguments that a message has with those that its handler
// takes.
func (c *checker) checkArgs(m *spoeMessage, known *Message) {
	used := make([]bool, len(known.Args))
	for i, s := range m.args {
		k := known.arg(s, i)
		if k < 0 {
			if !known.AnyArgs {
				c.find(ArgumentUnknown, s.at,
					fmt.Sprintf("the message %q has %s, which its handler does not take", m.name, s.label(i)),
					"HAProxy looks it up and sends it with each request, and nobody sees it. If it is meant to be another argument, that one is missing.",
					"Take it out, or give it the name that the handler has for it."+known.takes())
			}
			continue
		}
		if used[k] {
			continue // the first one counts
		}
		used[k] = true
		c.checkType(m, known, &known.Args[k], s, i)
	}
	for k, a := range known.Args {
		if !a.Required || used[k] || !known.hasGroup(a, used) {
			continue
		}
		at := m.head
		if len(m.args) > 0 {
			at = m.args[0].at
		}
		mend := fmt.Sprintf("Write %s into its args line.", example(&a))
		c.find(ArgumentMissing, at,
			fmt.Sprintf("the message %q is sent without the argument %q, which its handler requires", m.name, a.label()),
			"Each such message fails: its handler is not called and sets no variable.", mend)
	}
}

// hasGroup tells whether the struct that has an argument's field is there: one
// behind a pointer is nil where nothing is sent for it.
func (m *Message) hasGroup(a Arg, used []bool) bool {
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

// example is what an args line could have for an argument.
func example(a *Arg) string {
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

// arg returns which of the handler's arguments is sent as number i, or -1.
func (m *Message) arg(s sentArg, i int) int {
	return slices.IndexFunc(m.Args, func(a Arg) bool {
		if s.name != "" {
			return a.Name == s.name
		}
		return a.Pos != nil && *a.Pos == i || a.Pos == nil && a.Name == "" && a.isFetched(s.fetch)
	})
}

// isFetched tells whether that is its sample, which it may have with quotes.
func (a *Arg) isFetched(fetch string) bool {
	w, err := words(a.Fetch, nil)
	return err == nil && len(w) == 1 && w[0] == fetch
}

func (s *sentArg) label(i int) string {
	if s.name != "" {
		return fmt.Sprintf("an argument %q", s.name)
	}
	return fmt.Sprintf("an argument without a name, %q, as number %d", s.fetch, i+1)
}

// takes names what the handler takes, for a text.
func (m *Message) takes() string {
	var names []string
	for _, a := range m.Args {
		names = append(names, a.label())
	}
	if len(names) == 0 || len(names) > 16 {
		return ""
	}
	return " It takes " + strings.Join(names, ", ") + "."
}

// checkType tells whether what HAProxy sends can be bound.
func (c *checker) checkType(m *spoeMessage, known *Message, a *Arg, s sentArg, i int) {
	types := sampleTypes(s.fetch)
	if fits(types, a.Types) {
		return
	}
	c.find(ArgumentType, s.at,
		fmt.Sprintf("the message %q has %s as %s, from %s, and the handler's field %s (%s) takes %s",
			m.name, s.label(i), strings.Join(types, " or "), s.fetch, a.Field, a.Go, strings.Join(a.Types, ", ")),
		"Each such message fails: its handler is not called and sets no variable.",
		"Send another sample"+convert(a.Types)+", or change the field's type.")
}

// fits tells whether what is sent as one of some types can be bound to one of
// others; none are all.
func fits(sent, bound []string) bool {
	return len(sent) == 0 || len(bound) == 0 ||
		slices.ContainsFunc(sent, func(t string) bool { return slices.Contains(bound, t) })
}

// convert names a converter to one of these types, for a text. Each was tried.
func convert(types []string) string {
	for _, c := range []struct{ to, converter string }{
		{"BOOL", "bool"}, {"INT64", "add(0)"}, {"IPV4", "ipmask(32,128)"}, {"STRING", "lower"},
	} {
		if slices.Contains(types, c.to) {
			return ", put the converter \"," + c.converter + "\" behind it"
		}
	}
	return ""
}
