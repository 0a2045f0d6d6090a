package conf

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// Spec describes the settings of a struct.
type Spec struct {
	Program   string // for the help text
	EnvPrefix string // IP_REPUTATION_

	defaults reflect.Value // the struct
	settings []setting
}

// setting is a field that a flag and a variable set. Lists of structs and maps of
// structs are settings only of the file.
type setting struct {
	field
	name  string // log-level
	key   string // redis.addr
	index []int
}

// field has the options from the tags of a struct's field.
type field struct {
	name          string
	typ           reflect.Type
	fixed, inline bool
	help, value   string
	group         string
	min, max      string
	oneof         []string
}

// New returns the settings of the struct that defaults points to. It panics if two
// settings have the same name, or if a field's type cannot be set.
func New(program, envPrefix string, defaults any) *Spec {
	s := &Spec{Program: program, EnvPrefix: envPrefix, defaults: reflect.ValueOf(defaults).Elem()}
	s.walk(s.defaults.Type(), nil, "", "")
	seen := make(map[string]string)
	for _, x := range s.settings {
		if other, ok := seen[x.name]; ok {
			panic(fmt.Sprintf("conf: two settings are named %s (%s and %s): rename one by a tag, conf:\"other-name\"", x.name, other, x.key))
		}
		seen[x.name] = x.key
	}
	return s
}

func (s *Spec) walk(t reflect.Type, index []int, name, key string) {
	for i := range t.NumField() {
		f, ok := fieldOf(t.Field(i))
		if !ok {
			continue
		}
		at := append(index[:len(index):len(index)], i)
		switch {
		case f.inline:
			s.walk(f.typ, at, name, key)
		case isGroup(f.typ):
			s.walk(f.typ, at, name+f.name+"-", key+f.name+".")
		default:
			checkType(f.typ, key+f.name)
			s.settings = append(s.settings, setting{field: f, name: name + f.name, key: key + f.name, index: at})
		}
	}
}

// fieldOf reads a field's tags; ok is false for a field that is not a setting.
func fieldOf(sf reflect.StructField) (f field, ok bool) {
	name, options, _ := strings.Cut(sf.Tag.Get("conf"), ",")
	if !sf.IsExported() || name == "-" {
		return field{}, false
	}
	f = field{
		name: name, typ: sf.Type, help: sf.Tag.Get("help"), value: sf.Tag.Get("value"), group: sf.Tag.Get("group"),
		min: sf.Tag.Get("min"), max: sf.Tag.Get("max"),
	}
	if f.name == "" {
		f.name = kebab(sf.Name)
	}
	if words := sf.Tag.Get("oneof"); words != "" {
		f.oneof = strings.Split(words, ",")
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "fixed":
			f.fixed = true
		case "inline":
			f.inline = true
		default:
			panic(fmt.Sprintf("conf: field %s has the unknown option %q: there are fixed and inline", sf.Name, option))
		}
	}
	return f, true
}

// kebab returns log-level for LogLevel, and admin-url for AdminURL.
func kebab(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// isText reports whether a type reads itself from text.
func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// isGroup reports whether a type is a struct whose fields are settings.
func isGroup(t reflect.Type) bool { return t.Kind() == reflect.Struct && !isText(t) }

// hasFields reports whether a type is a struct that a mapping in the file can set.
// Such a type may read itself from text, too.
func hasFields(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if _, ok := fieldOf(t.Field(i)); ok {
			return true
		}
	}
	return false
}

// onFlags reports whether a flag can set a value of the type.
func onFlags(t reflect.Type) bool {
	switch {
	case isText(t):
		return true
	case t.Kind() == reflect.Slice:
		return onFlags(t.Elem())
	case t.Kind() == reflect.Map || t.Kind() == reflect.Struct:
		return false
	}
	return true
}

func checkType(t reflect.Type, key string) {
	if isText(t) {
		return
	}
	switch t.Kind() {
	case reflect.Slice:
		checkType(t.Elem(), key)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			panic(fmt.Sprintf("conf: %s is a %v: the keys of a map must be strings", key, t))
		}
		checkType(t.Elem(), key)
	case reflect.Struct:
		for i := range t.NumField() {
			if f, ok := fieldOf(t.Field(i)); ok {
				checkType(f.typ, key+"."+f.name)
			}
		}
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	default:
		panic(fmt.Sprintf("conf: %s is a %v, which no text can set: take another type, or tag the field conf:\"-\"", key, t))
	}
}
