package conf

import (
	"cmp"
	"encoding"
	"io"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// WriteYAML writes the configuration as a file for -config, each setting with the place
// that set it. Values of type [Secret] are hidden.
func (l *Loaded) WriteYAML(w io.Writer) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(l.node(l.value.Elem(), "")); err != nil {
		return err
	}
	return e.Close()
}

func writesText(v reflect.Value) bool {
	_, ok := v.Interface().(encoding.TextMarshaler)
	return ok
}

func (l *Loaded) node(v reflect.Value, key string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch t := v.Type(); {
	case hasFields(t) && !writesText(v):
		n.Kind = yaml.MappingNode
		names, fields := fieldsOf(v)
		for i, name := range names {
			k := &yaml.Node{Kind: yaml.ScalarNode, Value: name}
			value := l.node(fields[i].value, join(key, name))
			switch value.Kind {
			case yaml.ScalarNode:
				value.LineComment = l.places[join(key, name)]
			default:
				k.LineComment = l.places[join(key, name)]
			}
			n.Content = append(n.Content, k, value)
		}
	case isText(t) || isScalar(t):
		n.SetString(text(v))
		if t.Kind() != reflect.String && !isText(t) {
			n.Tag, n.Style = "", 0
		}
	case t.Kind() == reflect.Slice:
		n.Kind = yaml.SequenceNode
		for i := range v.Len() {
			n.Content = append(n.Content, l.node(v.Index(i), ""))
		}
	case t.Kind() == reflect.Map:
		n.Kind = yaml.MappingNode
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, k := range keys {
			elem := reflect.New(t.Elem()).Elem()
			elem.Set(v.MapIndex(k))
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: k.String()}, l.node(elem, ""))
		}
	}
	if len(n.Content) == 0 && n.Kind != yaml.ScalarNode {
		n.Style = yaml.FlowStyle
	}
	return n
}
