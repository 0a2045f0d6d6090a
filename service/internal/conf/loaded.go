package conf

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Loaded is a configuration.
type Loaded struct {
	spec   *Spec
	value  reflect.Value // a pointer to the struct
	places map[string]string
}

// Value returns a pointer to the struct.
func (l *Loaded) Value() any { return l.value.Interface() }

// validator is a struct that checks its fields against each other. [Wrong] makes its
// errors.
type validator interface{ Validate() error }

// validate calls the Validate methods of the struct and of all structs in it.
func (l *Loaded) validate() []error {
	var errs []error
	l.validateValue(l.value.Elem(), "", &errs)
	return errs
}

func (l *Loaded) validateValue(v reflect.Value, key string, errs *[]error) {
	if x, ok := v.Addr().Interface().(validator); ok {
		for _, err := range split(x.Validate()) {
			*errs = append(*errs, l.at(key, err))
		}
	}
	switch {
	case hasFields(v.Type()):
		for i := range v.NumField() {
			f, ok := fieldOf(v.Type().Field(i))
			switch {
			case !ok:
			case f.inline:
				l.validateValue(v.Field(i), key, errs)
			default:
				l.validateValue(v.Field(i), join(key, f.name), errs)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			l.validateValue(v.Index(i), fmt.Sprintf("%s[%d]", key, i), errs)
		}
	}
}

// at adds the place of the setting to an error.
func (l *Loaded) at(key string, err error) error {
	wrong := &Error{Text: err.Error()}
	var e *Error
	if errors.As(err, &e) {
		wrong = &Error{Key: e.Key, Text: e.Text}
	}
	wrong.Key = strings.TrimSuffix(join(key, wrong.Key), ".")
	for at := wrong.Key; at != ""; {
		if place, ok := l.places[at]; ok {
			wrong.Place = place
			if at == wrong.Key && !strings.Contains(place, ":") {
				wrong.Key = "" // the name of a flag or a variable says it
			}
			break
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	return wrong
}

// split returns the errors that errors.Join joined.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// KeepFixed sets the fixed settings of l to those of the running configuration, and returns
// the names of settings that differed: they need a restart.
func (l *Loaded) KeepFixed(running *Loaded) (changed []string) {
	for _, x := range l.spec.settings {
		now, was := l.value.Elem().FieldByIndex(x.index), running.value.Elem().FieldByIndex(x.index)
		if x.fixed && !reflect.DeepEqual(now.Interface(), was.Interface()) {
			changed = append(changed, x.key)
			now.Set(was)
		}
	}
	return changed
}
