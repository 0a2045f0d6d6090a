package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Encoder makes actions of structs of one type. It is compiled once for each type, and
// may be used concurrently.
type Encoder struct {
	typ    reflect.Type // the struct
	ptr    reflect.Type // pointer to it
	fields []encodeField
}

// encodeField is a bound field with what encoding needs.
type encodeField struct {
	boundField
	how   source
	set   []byte      // the set-var up to its value
	unset []byte      // the whole unset-var; nil without the option
	many  *varPattern // nil for one variable
}

var encoders plans[Encoder]

// EncoderOf returns the encoder for t, a struct or a pointer to one. If t or one of
// its tags is wrong, the error names the field.
func EncoderOf(t reflect.Type) (*Encoder, error) { return encoders.of(t, compileEncoder) }

func compileEncoder(t reflect.Type) (*Encoder, error) {
	w := walker{root: t, vars: true, parse: parseVarTag, scalar: func(t reflect.Type) bool {
		_, ok := sourceOf(t, false)
		return ok
	}}
	if err := w.walk(t, place{}, "", "", "", nil); err != nil {
		return nil, err
	}
	e := &Encoder{typ: t, ptr: reflect.PointerTo(t)}
	for _, f := range w.fields {
		if err := e.add(f); err != nil {
			return nil, w.errorf(f.path, "%w", err)
		}
	}
	return e, nil
}

func (e *Encoder) add(b boundField) error {
	f := encodeField{boundField: b}
	if strings.HasSuffix(f.name, "*") {
		return e.addPattern(f)
	}
	if f.tag.max > 0 {
		return fmt.Errorf("max is for a name that ends with '*'; remove it")
	}
	var ok bool
	if f.how, ok = sourceOf(f.typ, f.tag.json); !ok {
		return fmt.Errorf("no variable can be made of %s; use a bool, an integer, a float, a string, []byte, an address, give it MarshalSPOE or MarshalText, or add json", f.goType())
	}
	if f.tag.name == "" {
		return fmt.Errorf("the tag names no variable; write its name first")
	}
	if err := CheckVarName(f.tag.scope, f.name); err != nil {
		return err
	}
	if err := e.collides(&f); err != nil {
		return err
	}
	// Room behind it would let an append write into it.
	f.set = slices.Clip(AppendString([]byte{actionSetVar, nargsSetVar, byte(f.tag.scope)}, f.name))
	if f.tag.unset {
		if !f.ptr && !f.how.nullable {
			return fmt.Errorf("%s is never without a value, so unset has no meaning; use a pointer, or remove unset", f.typ)
		}
		f.unset = slices.Clip(AppendUnsetVar(nil, f.tag.scope, f.name))
	}
	e.fields = append(e.fields, f)
	return nil
}

// collides returns an error if another field may set the variable, too.
func (e *Encoder) collides(f *encodeField) error {
	covers := func(o, f *encodeField) bool {
		return o.many != nil && strings.HasPrefix(f.name, o.many.prefix)
	}
	for i := range e.fields {
		o := &e.fields[i]
		if o.tag.scope == f.tag.scope && (o.name == f.name || covers(o, f) || covers(f, o)) {
			return fmt.Errorf("variable %s.%s is set by the field %s already; rename one", f.tag.scope, f.name, o.path)
		}
	}
	return nil
}

// Fields returns the bound fields in the order of the actions.
func (e *Encoder) Fields() []VarInfo {
	infos := make([]VarInfo, len(e.fields))
	for i := range e.fields {
		f := &e.fields[i]
		infos[i] = VarInfo{
			Name: f.name, Scope: f.tag.scope, Field: f.path, Group: f.group, Type: f.goType(), Types: slices.Clone(f.how.types),
			Pattern: f.many != nil, Max: f.tag.max, OmitEmpty: f.tag.omitEmpty, Unset: f.tag.unset, JSON: f.tag.json, Secret: f.tag.secret,
		}
	}
	return infos
}

// Append appends an action for each bound field of src, a pointer to the encoder's
// struct, in the order of their declaration; none if src is nil. After an error, which
// names the field, it returns b unchanged.
//
// A field without a value (a nil pointer, a NULL, a zero address) makes no action or,
// with unset, an unset-var. With omitempty, a zero field makes no action.
func (e *Encoder) Append(b []byte, src any) ([]byte, error) {
	if reflect.TypeOf(src) != e.ptr {
		return b, fmt.Errorf("codec: this encoder takes a %s, not a %T", e.ptr, src)
	}
	p := pointerTo(src)
	if p == nil {
		return b, nil
	}
	out := b
	for i := range e.fields {
		f := &e.fields[i]
		at := f.find(p)
		switch {
		case at == nil:
			// If a struct around it is nil, the field has no value, as if its own
			// pointer were nil.
			out = append(out, f.unset...)
			continue
		case f.many != nil:
			var err error
			if out, err = f.many.append(out, at); err != nil {
				return b, fmt.Errorf("codec: field %s.%s of variables %s.%s: %w", e.typ, f.path, f.tag.scope, f.name, err)
			}
			continue
		case f.tag.omitEmpty && !f.ptr && f.how.empty(at):
			continue
		}
		start := len(out)
		out = append(out, f.set...)
		done, err := f.how.append(out, at)
		switch {
		case err == errNull:
			out = append(out[:start], f.unset...)
		case err != nil:
			return b, fmt.Errorf("codec: field %s.%s of variable %s.%s: %w", e.typ, f.path, f.tag.scope, f.name, err)
		default:
			out = done
		}
	}
	return out, nil
}
