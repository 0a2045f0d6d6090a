package conf

import (
	"errors"
	"flag"
	"reflect"
	"slices"
	"strings"
)

// AddFlags adds a flag for each setting to fs. The returned map has the settings of the
// command line after fs.Parse.
func (s *Spec) AddFlags(fs *flag.FlagSet) map[string][]string {
	values := make(map[string][]string)
	for _, x := range s.settings {
		if onFlags(x.typ) {
			fs.Var(&flagValue{name: x.name, values: values, isBool: x.typ.Kind() == reflect.Bool}, x.name, x.help)
		}
	}
	return values
}

// flagValue keeps the text: Load reads it, now and at each reload.
type flagValue struct {
	name   string
	values map[string][]string
	isBool bool
}

func (f *flagValue) String() string   { return "" }
func (f *flagValue) IsBoolFlag() bool { return f.isBool }
func (f *flagValue) Set(text string) error {
	f.values[f.name] = append(f.values[f.name], text)
	return nil
}

const undefined = "flag provided but not defined: "

// ParseFlags parses args. The error says what to write instead of a wrong flag.
func ParseFlags(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		name, unknown := strings.CutPrefix(err.Error(), undefined+"-")
		if !unknown {
			return err
		}
		var names []string
		fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
		slices.Sort(names)
		if near := nearest(name, names); near != "" {
			return &Error{Place: "-" + name, Text: "is unknown: write -" + near}
		}
		return &Error{Place: "-" + name, Text: "is unknown: -h lists the flags"}
	}
	return nil
}
