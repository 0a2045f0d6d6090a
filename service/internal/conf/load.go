package conf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
)

// maxFile is the maximum size of a file, in bytes.
const maxFile = 4 << 20

// Sources are the sources of settings.
type Sources struct {
	File    string              // path; empty for none
	Environ []string            // as os.Environ
	Flags   map[string][]string // by name, each value that the command line has; see Spec.AddFlags
}

// Load returns a new struct of the type of New's defaults: the defaults, overridden by
// the sources. The error joins one *Error for each mistake.
func (s *Spec) Load(src Sources) (*Loaded, error) {
	l := &Loaded{spec: s, value: reflect.New(s.defaults.Type()), places: make(map[string]string)}
	v := l.value.Elem()
	v.Set(s.defaults)
	var errs []error
	if src.File != "" {
		d := &decoder{file: src.File, places: l.places}
		text, err := readFile(src.File)
		if err != nil {
			return nil, err
		}
		d.decode(text, v)
		errs = d.errs
	}
	env := s.environment(src.Environ)
	errs = append(errs, s.misspelt(src.Environ)...)
	for _, x := range s.settings {
		values, place := src.Flags[x.name], "-"+x.name
		if len(values) == 0 {
			values, place = env[x.name], s.variable(x)
		}
		if len(values) == 0 {
			continue
		}
		l.places[x.key] = place
		if err := x.set(v.FieldByIndex(x.index), values); err != nil {
			errs = append(errs, &Error{Place: place, Text: err.Error()})
		}
	}
	if len(errs) == 0 {
		errs = l.validate()
	}
	return l, errors.Join(errs...)
}

// set sets a field from one value or, for a list, from all of them.
func (x setting) set(v reflect.Value, values []string) error {
	if v.Kind() != reflect.Slice || isText(v.Type()) {
		return x.setText(v, values[len(values)-1])
	}
	list := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, value := range values {
		if err := x.setText(list.Index(i), value); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// variable names the environment variable of a setting.
func (s *Spec) variable(x setting) string {
	return s.EnvPrefix + strings.ToUpper(strings.ReplaceAll(x.name, "-", "_"))
}

// environment returns the values that variables have, by the names of settings. It
// splits a list at line ends and semicolons, and ignores an empty variable.
func (s *Spec) environment(environ []string) map[string][]string {
	values := make(map[string][]string)
	for _, x := range s.settings {
		for _, pair := range environ {
			text, ok := strings.CutPrefix(pair, s.variable(x)+"=")
			if !ok || text == "" || !onFlags(x.typ) {
				continue
			}
			values[x.name] = []string{text}
			if x.typ.Kind() == reflect.Slice && !isText(x.typ) {
				values[x.name] = splitList(text)
			}
		}
	}
	return values
}

func splitList(text string) []string {
	var list []string
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// misspelt returns an error for each variable with the prefix that is almost a
// setting's name. It ignores others: Kubernetes makes variables that begin with the
// name of a service.
func (s *Spec) misspelt(environ []string) (errs []error) {
	known := []string{s.EnvPrefix + "CONFIG"}
	for _, x := range s.settings {
		known = append(known, s.variable(x))
	}
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, s.EnvPrefix) || slices.Contains(known, name) {
			continue
		}
		if near := nearest(name, known); near != "" {
			errs = append(errs, &Error{Place: name, Text: "is unknown: write " + near})
		}
	}
	return errs
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: give -config a file that is there", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{Place: path, Text: "is not a regular file: give -config a YAML file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: let the user that the agent runs as read it", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = &Error{Place: path, Text: fmt.Sprintf("is larger than %d MiB: give -config a YAML file", maxFile>>20)}
	}
	return text, err
}
