package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// place is the place of a field in the struct that is bound: pointers to follow, then an
// offset.
type place struct {
	hops []hop
	off  uintptr
	// groups is the number of hops that lead to nested structs; the hop after them, if
	// there is one, is the field's own pointer.
	groups int
}

// hop is a pointer on the way to a field: its offset in the struct that the hop before
// it leads to, and the type that it points to.
type hop struct {
	off  uintptr
	elem reflect.Type
}

// reach returns the field's address. It allocates the structs of nil pointers on the way.
func (l *place) reach(p pointer) pointer {
	if len(l.hops) == 0 {
		return add(p, l.off)
	}
	return l.reachFar(p)
}

func (l *place) reachFar(p pointer) pointer {
	for i := range l.hops {
		h := &l.hops[i]
		at := as[pointer](add(p, h.off))
		if *at == nil {
			*at = newOf(h.elem)
		}
		p = *at
	}
	return add(p, l.off)
}

// find returns the field's address, or nil if a pointer on the way is nil.
func (l *place) find(p pointer) pointer {
	if p = follow(p, l.hops); p == nil {
		return nil
	}
	return add(p, l.off)
}

// clear sets the field to its zero value: to nil if it is a pointer.
func (f *boundField) clear(p pointer) {
	if n := len(f.hops); n > f.groups {
		*as[pointer](add(follow(p, f.hops[:n-1]), f.hops[n-1].off)) = nil
		return
	}
	reflect.NewAt(f.typ, f.find(p)).Elem().SetZero()
}

// hasGroup reports whether the nested structs that hold the field are there.
func (l *place) hasGroup(p pointer) bool { return follow(p, l.hops[:l.groups]) != nil }

func follow(p pointer, hops []hop) pointer {
	for i := range hops {
		if p = *as[pointer](add(p, hops[i].off)); p == nil {
			return nil
		}
	}
	return p
}

// boundField is one field of a struct that has a tag, or of one nested in it.
type boundField struct {
	place
	path  string // from the bound struct on, such as Client.IP
	group string // the innermost struct around it that is behind a pointer, or empty
	name  string // with the prefixes of the structs around it
	tag   fieldTag
	fetch string       // the other tag, of arguments
	typ   reflect.Type // without the pointer
	ptr   bool
}

// walker collects the bound fields of a struct, in the order of their declaration.
type walker struct {
	root   reflect.Type
	parse  func(text string) (fieldTag, error)
	scalar func(t reflect.Type) bool // t takes, or is, one value
	vars   bool                      // its fields are variables, not arguments
	fields []boundField
	// problems is the offset of the field of type Problems, or -1.
	problems int
}

func (w *walker) walk(t reflect.Type, at place, path, group, prefix string, around []reflect.Type) error {
	if slices.Contains(around, t) {
		return w.errorf(strings.TrimSuffix(path, "."), "the struct contains itself; leave it out with `%s:\"-\"`", tagKey)
	}
	around = append(slices.Clone(around), t)
	for i := range t.NumField() {
		if err := w.field(t.Field(i), at, path, group, prefix, around); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) field(sf reflect.StructField, at place, path, group, prefix string, around []reflect.Type) error {
	path += sf.Name
	text, tagged, err := lookupTag(sf.Tag, tagKey)
	if err != nil {
		return w.errorf(path, "%w", err)
	}
	fetch, fetched, err := lookupTag(sf.Tag, fetchKey)
	if err != nil {
		return w.errorf(path, "%w", err)
	}
	typ, ptr := sf.Type, sf.Type.Kind() == reflect.Pointer
	if ptr {
		typ = typ.Elem()
	}
	if sf.Type == problemsType && !w.vars {
		return w.problemsField(sf, at, path, tagged)
	}
	nested := typ.Kind() == reflect.Struct && !w.scalar(typ)
	switch {
	case text == "-" && tagged:
		return nil
	case fetched && !tagged:
		return w.errorf(path, "the tag fetch is without a tag spoe, so no argument is fetched; write `spoe:\"name\" fetch:%q`", fetch)
	case !tagged && (!nested || !sf.Anonymous && (ptr || !sf.IsExported())):
		return nil
	}
	var tag fieldTag
	if tagged {
		if tag, err = w.parse(text); err != nil {
			return w.errorf(path, "%w", err)
		}
		if !sf.IsExported() && !(sf.Anonymous && nested) {
			return w.errorf(path, "the field has a tag but is not exported; export it, or remove the tag")
		}
	}

	in := place{off: at.off + sf.Offset, hops: at.hops, groups: at.groups}
	if ptr {
		in = place{hops: append(slices.Clone(at.hops), hop{in.off, typ}), groups: at.groups}
	}
	if !nested || tag.json {
		if err := w.checkFetch(fetch, fetched); err != nil {
			return w.errorf(path, "%w", err)
		}
		w.fields = append(w.fields, boundField{place: in, path: path, group: group, name: prefix + tag.name, tag: tag, fetch: fetch, typ: typ, ptr: ptr})
		return nil
	}
	if fetched {
		return w.errorf(path, "the tag fetch is on a nested struct, which is no argument; put it on its fields, or bind it whole with json")
	}
	if tagged {
		if tag.options > 0 {
			return w.errorf(path, "options on a nested struct, which takes a prefix alone; put them on its fields, or bind it whole with json")
		}
		if tag.name == "" {
			return w.errorf(path, "a nested struct with an empty prefix; name one, or remove the tag")
		}
		prefix += tag.name + "."
	}
	if ptr {
		in.groups = len(in.hops)
		group = path
	}
	return w.walk(typ, in, path+".", group, prefix, around)
}

// problemsField notes the place of the field of type Problems.
func (w *walker) problemsField(sf reflect.StructField, at place, path string, tagged bool) error {
	switch {
	case tagged:
		return w.errorf(path, "a field of type codec.Problems takes no argument; remove the tag")
	case !sf.IsExported():
		return nil
	case len(at.hops) > 0:
		return w.errorf(path, "a field of type codec.Problems is behind a pointer; put it into the outer struct")
	case w.problems >= 0:
		return w.errorf(path, "a second field of type codec.Problems; remove one")
	}
	w.problems = int(at.off + sf.Offset)
	return nil
}

// errorf returns an error of registration: type and field, the mistake, and the correction.
func (w *walker) errorf(path, format string, args ...any) error {
	return fmt.Errorf("codec: field %s.%s: %w", w.root, path, fmt.Errorf(format, args...))
}

// structOf returns the struct to bind: t, or the struct that t points to.
func structOf(t reflect.Type) (reflect.Type, error) {
	s := t
	if s != nil && s.Kind() == reflect.Pointer {
		s = s.Elem()
	}
	if s == nil || s.Kind() != reflect.Struct {
		return nil, fmt.Errorf("codec: %v cannot be bound; use a struct or a pointer to one", t)
	}
	return s, nil
}
