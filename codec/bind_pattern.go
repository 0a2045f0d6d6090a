package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// varPattern sets one variable for each key of a map, such as the claims of a token:
//
//	Claims map[string]string `spoe:"claim_*,txn"`
type varPattern struct {
	typ    reflect.Type // of the map
	elem   source
	scope  Scope
	prefix string
	max    int
}

// defaultMaxVars is the maximum number of variables that a pattern sets without max=.
const defaultMaxVars = 32

func (e *Encoder) addPattern(f encodeField) error {
	prefix := strings.TrimSuffix(f.name, "*")
	if f.typ.Kind() != reflect.Map || f.typ.Key().Kind() != reflect.String || f.tag.json {
		return fmt.Errorf("a name that ends with '*' is for a map with string keys, and %s is none; change the type or the name", f.goType())
	}
	if prefix == "" {
		return fmt.Errorf("the pattern * stands for every variable; write a beginning, such as claim_*")
	}
	if err := CheckVarName(f.tag.scope, prefix); err != nil {
		return err
	}
	elem, ok := sourceOf(f.typ.Elem(), false)
	switch {
	case !ok:
		return fmt.Errorf("no variable can be made of %s; use a map of strings, numbers, bools or addresses", f.typ.Elem())
	case f.tag.unset, f.tag.omitEmpty:
		return fmt.Errorf("unset and omitempty have no meaning for a pattern: a key that is not in the map sets nothing; remove them")
	case f.tag.max == 0:
		f.tag.max = defaultMaxVars
	}
	f.how.types = elem.types
	f.many = &varPattern{typ: f.typ, elem: elem, scope: f.tag.scope, prefix: prefix, max: f.tag.max}
	if err := e.collides(&f); err != nil {
		return err
	}
	e.fields = append(e.fields, f)
	return nil
}

// append sets a variable for each key, in the order of the keys. It skips keys with
// which HAProxy would reject the name, and the keys after the first max: a visitor may
// choose them, and must not suppress the other variables.
func (v *varPattern) append(b []byte, p pointer) ([]byte, error) {
	m := reflect.NewAt(v.typ, p).Elem()
	if m.Len() == 0 {
		return b, nil
	}
	keys := make([]string, 0, m.Len())
	for _, k := range m.MapKeys() {
		if CheckVarName(v.scope, v.prefix+k.String()) == nil {
			keys = append(keys, k.String())
		}
	}
	slices.Sort(keys)
	at := reflect.New(v.typ.Elem())
	for _, key := range keys[:min(len(keys), v.max)] {
		at.Elem().Set(m.MapIndex(reflect.ValueOf(key).Convert(v.typ.Key())))
		start := len(b)
		b = AppendString(append(b, actionSetVar, nargsSetVar, byte(v.scope)), v.prefix+key)
		done, err := v.elem.append(b, at.UnsafePointer())
		switch {
		case err == errNull:
			b = b[:start]
		case err != nil:
			return b, fmt.Errorf("key %q: %w", key, err)
		default:
			b = done
		}
	}
	return b, nil
}
