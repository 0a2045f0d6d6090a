package conf

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/internal/wrap"
)

// WriteHelp writes the part of -h about the settings.
func (s *Spec) WriteHelp(w io.Writer) {
	for _, x := range s.settings {
		if x.group != "" {
			fmt.Fprintf(w, "\n%s:\n", x.group)
		}
		flag := "  -" + x.name
		if !onFlags(x.typ) {
			flag = "  " + x.key + ": (in the file)"
		} else if word := x.word(); word != "" {
			flag += " " + word
		}
		help := x.help
		if len(x.oneof) > 0 {
			help += ": " + orList(x.oneof)
		}
		if v := s.defaults.FieldByIndex(x.index); onFlags(x.typ) && (isText(x.typ) || !v.IsZero()) && defaultText(v) != "" {
			help += " (default " + defaultText(v) + ")"
		}
		if x.fixed {
			help += " [restart]"
		}
		fmt.Fprintf(w, "%s\n%s", flag, Wrap(help))
	}
}

func defaultText(v reflect.Value) string {
	if v.Kind() != reflect.Slice || isText(v.Type()) {
		return text(v)
	}
	var words []string
	for i := range v.Len() {
		words = append(words, text(v.Index(i)))
	}
	return strings.Join(words, ", ")
}

// word stands for a value in the help.
func (x setting) word() string {
	t := x.typ
	if t.Kind() == reflect.Slice && !isText(t) {
		t = t.Elem()
	}
	switch {
	case x.value != "":
		return x.value
	case t.Kind() == reflect.Bool:
		return ""
	case t == durationType:
		return "DURATION"
	case isScalar(t) && t.Kind() != reflect.String && !isText(t):
		return "N"
	}
	return "VALUE"
}

// Wrap breaks a text into indented lines.
func Wrap(text string) string {
	const indent = "        "
	return strings.Join(wrap.Lines(indent, indent, text), "\n") + "\n"
}

// Has reports whether a setting has that name.
func (s *Spec) Has(name string) bool {
	return slices.ContainsFunc(s.settings, func(x setting) bool { return x.name == name })
}
