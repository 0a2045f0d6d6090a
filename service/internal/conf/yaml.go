package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a file: an alias inside its own anchor has no end.
const maxDepth = 32

// decoder sets a struct from a YAML document, and collects its mistakes.
type decoder struct {
	file   string
	places map[string]string // by key: file:line
	errs   []error
}

// decode sets the struct v from text.
func (d *decoder) decode(text []byte, v reflect.Value) {
	var doc, second yaml.Node
	read := yaml.NewDecoder(bytes.NewReader(text))
	switch err := read.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return // an empty file
	case err != nil:
		d.syntax(text, err)
		return
	}
	if err := read.Decode(&second); err == nil {
		d.fail(&second, "", "is a second document: keep one, and remove the line ---")
		return
	}
	if root := doc.Content[0]; root.Tag != "!!null" {
		d.group(root, v, "", 0)
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (d *decoder) syntax(text []byte, err error) {
	if line := tabLine(text); line > 0 {
		d.errs = append(d.errs, &Error{Place: fmt.Sprintf("%s:%d", d.file, line), Text: "is indented by a tab: write spaces"})
		return
	}
	place, why := d.file, err.Error()
	if m := yamlLine.FindStringSubmatch(why); m != nil {
		why = m[2]
		if m[1] != "" {
			place += ":" + m[1]
		}
	}
	d.errs = append(d.errs, &Error{Place: place, Text: "is not YAML: " + why + ": write lines such as \"log-level: info\", indented by spaces"})
}

// tabLine returns the number of the first line that begins with a tab, or 0. The
// parser reports the line of the block that has it.
func tabLine(text []byte) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if rest := bytes.TrimLeft(line, " "); len(rest) > 0 && rest[0] == '\t' {
			return i + 1
		}
	}
	return 0
}

func (d *decoder) place(n *yaml.Node) string { return fmt.Sprintf("%s:%d", d.file, n.Line) }

func (d *decoder) fail(n *yaml.Node, key, format string, args ...any) {
	d.errs = append(d.errs, &Error{Place: d.place(n), Key: key, Text: fmt.Sprintf(format, args...)})
}

// group sets the fields of a struct from a mapping.
func (d *decoder) group(n *yaml.Node, v reflect.Value, key string, depth int) {
	names, fields := fieldsOf(v)
	d.pairs(n, key, depth, "a mapping: write keys and values, "+names[0]+": …", func(name string, k, value *yaml.Node, key string) {
		i := slices.Index(names, name)
		if i < 0 {
			d.fail(k, key, "is unknown: %s", instead(name, names))
			return
		}
		d.value(value, fields[i].field, fields[i].value, key, depth+1)
	})
}

// pairs calls each with the keys and values of a mapping.
func (d *decoder) pairs(n *yaml.Node, key string, depth int, want string, each func(name string, k, value *yaml.Node, key string)) {
	if n = resolve(n); n.Kind != yaml.MappingNode || depth > maxDepth {
		d.fail(n, key, "is %s, not %s", kind(n), want)
		return
	}
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		at := join(key, k.Value)
		if first, ok := lines[k.Value]; ok {
			d.fail(k, at, "is set in line %d, too: remove one of the two", first)
			continue
		}
		lines[k.Value] = k.Line
		d.places[at] = d.place(k)
		each(k.Value, k, value, at)
	}
}

func (d *decoder) value(n *yaml.Node, f field, v reflect.Value, key string, depth int) {
	n = resolve(n)
	d.places[key] = d.place(n)
	t := v.Type()
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		d.fail(n, key, "has no value: write one, or remove the line")
	case isText(t) && (n.Kind != yaml.MappingNode || !hasFields(t)) || isScalar(t):
		if n.Kind != yaml.ScalarNode {
			d.fail(n, key, "is %s, not one value: write %s: value", kind(n), f.name)
			return
		}
		if err := f.setText(v, n.Value); err != nil {
			d.fail(n, key, "%v", err)
		}
	case t.Kind() == reflect.Slice:
		d.list(n, f, v, key, depth)
	case t.Kind() == reflect.Map:
		m := reflect.MakeMap(t)
		d.pairs(n, key, depth, "a mapping: write names and values", func(name string, _, value *yaml.Node, key string) {
			elem := reflect.New(t.Elem()).Elem()
			d.value(value, f, elem, key, depth+1)
			m.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), elem)
		})
		v.Set(m)
	case t.Kind() == reflect.Struct:
		d.group(n, v, key, depth)
	}
}

func (d *decoder) list(n *yaml.Node, f field, v reflect.Value, key string, depth int) {
	if n.Kind != yaml.SequenceNode || depth > maxDepth {
		d.fail(n, key, "is %s, not a list: write each value on a line of its own behind \"- \", or [a, b]", kind(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, f, list.Index(i), fmt.Sprintf("%s[%d]", key, i), depth+1)
	}
	v.Set(list)
}

func isScalar(t reflect.Type) bool {
	return t.Kind() != reflect.Slice && t.Kind() != reflect.Map && t.Kind() != reflect.Struct
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("the value %q", n.Value)
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

type fieldValue struct {
	field
	value reflect.Value
}

// fieldsOf returns the fields of a struct that are settings, those of inlined
// structs among them.
func fieldsOf(v reflect.Value) (names []string, fields []fieldValue) {
	for i := range v.NumField() {
		f, ok := fieldOf(v.Type().Field(i))
		switch {
		case !ok:
		case f.inline:
			n, inner := fieldsOf(v.Field(i))
			names, fields = append(names, n...), append(fields, inner...)
		default:
			names, fields = append(names, f.name), append(fields, fieldValue{f, v.Field(i)})
		}
	}
	return names, fields
}
