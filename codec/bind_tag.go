package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// The keys of the struct tags that this package reads; it ignores others.
const (
	tagKey   = "spoe"
	fetchKey = "fetch"
)

// fieldTag is a struct field's tag, parsed.
type fieldTag struct {
	text       string // as written, for errors
	name       string
	pos        int // -1 without pos=
	def        string
	hasDefault bool
	required   bool
	json       bool
	secret     bool
	strict     bool
	scope      Scope
	max        int // of a pattern; 0 without max=
	omitEmpty  bool
	unset      bool
	options    int // how many there are
}

// lookupTag returns the text of a field's tag of that key. A tag that reflect cannot
// read, and would silently ignore, is an error.
func lookupTag(tag reflect.StructTag, key string) (text string, ok bool, err error) {
	text, ok = tag.Lookup(key)
	if !ok && strings.Contains(" "+string(tag), " "+key+":") {
		example := "name,option"
		if key == fetchKey {
			example = "src"
		}
		return text, ok, fmt.Errorf("the tag %s cannot be read; write `%s:%q`", tag, key, example)
	}
	return text, ok, nil
}

// checkFetch returns an error if a fetch tag's text cannot be a sample, or if it is in
// the wrong place. It does not know which samples HAProxy has.
func (w *walker) checkFetch(text string, ok bool) error {
	switch {
	case ok && w.vars:
		return fmt.Errorf("the tag fetch is for arguments, and this field sets a variable; remove it")
	case ok && strings.TrimSpace(text) == "":
		return fmt.Errorf("the tag fetch is empty; write the sample that follows \"args name=\" in HAProxy's configuration, such as `fetch:\"src\"`")
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == 0x7f {
			return fmt.Errorf("the tag fetch has the control character %q; write one line, as HAProxy's configuration has it behind \"args name=\"", c)
		}
	}
	return nil
}

// parseArgTag reads the tag of a field that takes an argument.
func parseArgTag(text string) (fieldTag, error) {
	return parseTag(text, func(t *fieldTag, key, value string, hasValue bool) error {
		switch {
		case key == "required" && !hasValue:
			t.required = true
		case key == "strict" && !hasValue:
			t.strict = true
		case key == "default" && hasValue:
			t.def, t.hasDefault = value, true
		case key == "pos" && hasValue:
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil || n >= MaxArgs {
				return fmt.Errorf("pos=%s is no position; write 0 for the message's first argument, up to %d", value, MaxArgs-1)
			}
			t.pos = int(n)
		default:
			return errUnknownOption
		}
		return nil
	}, "required, default=…, pos=…, json, secret or strict")
}

// parseVarTag reads the tag of a field that sets a variable.
func parseVarTag(text string) (fieldTag, error) {
	scoped := false
	return parseTag(text, func(t *fieldTag, key, value string, hasValue bool) error {
		scope, isScope := ParseScope(key)
		switch {
		case key == "max" && hasValue:
			n, err := strconv.ParseUint(value, 10, 16)
			if err != nil || n == 0 {
				return fmt.Errorf("max=%s is no number of variables; write one from 1 on", value)
			}
			t.max = int(n)
		case hasValue:
			return errUnknownOption
		case isScope && scoped:
			return fmt.Errorf("a second scope, %q; a variable has one", key)
		case isScope:
			t.scope, scoped = scope, true
		case key == "omitempty":
			t.omitEmpty = true
		case key == "unset":
			t.unset = true
		default:
			return errUnknownOption
		}
		return nil
	}, "a scope (proc, sess, txn, req, res), omitempty, unset, json, secret or max=…")
}

// optionFunc takes one option of a tag, or returns errUnknownOption.
type optionFunc func(t *fieldTag, key, value string, hasValue bool) error

var errUnknownOption = errors.New("unknown option")

func parseTag(text string, option optionFunc, known string) (fieldTag, error) {
	t := fieldTag{text: text, pos: -1, scope: ScopeTransaction}
	words, err := splitTag(text)
	if err != nil {
		return t, err
	}
	t.name, words = words[0], words[1:]
	t.options = len(words)
	given := make(map[string]bool, len(words))
	for _, word := range words {
		key, value, hasValue := strings.Cut(word, "=")
		if given[key] {
			return t, fmt.Errorf("the option %q is there twice; leave one out", key)
		}
		given[key] = true
		switch {
		case key == "json" && !hasValue:
			t.json = true
			continue
		case key == "secret" && !hasValue:
			t.secret = true
			continue
		}
		switch err := option(&t, key, unquote(value), hasValue); {
		case err == errUnknownOption:
			return t, fmt.Errorf("unknown option %q; use %s", word, known)
		case err != nil:
			return t, err
		}
	}
	if t.required && t.hasDefault {
		return t, fmt.Errorf("required and default contradict each other; leave one out")
	}
	return t, nil
}

// splitTag splits at commas that are not between single quotes, so that a
// default can hold one. There is always a first word.
func splitTag(text string) ([]string, error) {
	var words []string
	quoted, from := false, 0
	for i, c := range text {
		switch {
		case c == '\'':
			quoted = !quoted
		case c == ',' && !quoted:
			words, from = append(words, text[from:i]), i+1
		}
	}
	if quoted {
		return nil, fmt.Errorf("a single quote that is not closed; close it")
	}
	return append(words, text[from:]), nil
}

func unquote(s string) string {
	if inside, ok := strings.CutPrefix(s, "'"); ok {
		if inside, ok = strings.CutSuffix(inside, "'"); ok {
			return inside
		}
	}
	return s
}
