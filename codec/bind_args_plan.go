package codec

import (
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
)

// Decoder binds a message's arguments to structs of one type. It is compiled once for
// each type, and may be used concurrently.
type Decoder struct {
	typ    reflect.Type // the struct
	ptr    reflect.Type // pointer to it
	fields []decodeField
	// first is the index in fields of the field that the first argument probably has.
	first atomic.Uint32
	// byName is nil if there are so few fields that comparing all names is faster.
	byName map[string]int
	byPos  []int // by position: index in fields, or -1
	packed []int // indexes of the fields whose bytes pack copies
	must   []int // indexes of the fields with required or default
	// problems is the offset of the field of type Problems, or -1.
	problems int
}

// decodeField is a bound field with its plan. The parts that each message needs come
// first, to lie close together.
type decodeField struct {
	name string
	next atomic.Uint32 // index of the field that followed last time
	bit  int           // its own index
	how  binding
	boundField
	def    Value
	field  string // type and path, for errors
	goName string // the field's type, for errors
}

var decoders plans[Decoder]

// fewFields is the maximum number of fields that are found by comparing names.
const fewFields = 16

// DecoderOf returns the decoder for t, a struct or a pointer to one. If t or one of
// its tags is wrong, the error names the field.
func DecoderOf(t reflect.Type) (*Decoder, error) { return decoders.of(t, compileDecoder) }

func compileDecoder(t reflect.Type) (*Decoder, error) {
	w := walker{root: t, problems: -1, parse: parseArgTag, scalar: func(t reflect.Type) bool {
		_, ok := bindingOf(t, false)
		return ok
	}}
	if err := w.walk(t, place{}, "", "", "", nil); err != nil {
		return nil, err
	}
	if len(w.fields) > MaxArgs {
		return nil, fmt.Errorf("codec: %s has %d fields with a tag, a message has at most %d arguments; split it", t, len(w.fields), MaxArgs)
	}
	d := &Decoder{typ: t, ptr: reflect.PointerTo(t), fields: make([]decodeField, len(w.fields)), problems: w.problems}
	if len(w.fields) > fewFields {
		d.byName = make(map[string]int, len(w.fields))
	}
	for i := range w.fields {
		f := &d.fields[i]
		f.boundField, f.name, f.bit = w.fields[i], w.fields[i].name, i
		f.next.Store(uint32((i + 1) % len(w.fields)))
		f.field, f.goName = t.String()+"."+f.path, f.goType().String()
		if err := d.add(f); err != nil {
			return nil, w.errorf(f.path, "%w", err)
		}
	}
	return d, nil
}

func (d *Decoder) add(f *decodeField) error {
	var ok bool
	if f.how, ok = bindingOf(f.typ, f.tag.json); !ok {
		return fmt.Errorf("no argument can be bound to %s; use a bool, an integer, a float, a string, []byte, an address, a slice of these, give it UnmarshalSPOE or UnmarshalText, or add json", f.goType())
	}
	switch {
	case f.tag.name == "" && f.tag.pos < 0:
		return fmt.Errorf("the tag names no argument; write its name, or pos=0 for a first argument without one")
	case f.tag.name == "":
		f.name = "" // bound only by position, nested or not
	}
	for i := range f.name {
		if c := f.name[i]; c <= ' ' || c == '=' || c == 0x7f {
			return fmt.Errorf("%q is no name of an argument in HAProxy's configuration; use letters, digits, '-', '_' and '.'", f.name)
		}
	}
	for i := range d.fields[:f.bit] {
		o := &d.fields[i]
		if o.name == f.name && f.name != "" {
			return fmt.Errorf("argument %q is bound to the field %s already; rename one", f.name, o.path)
		}
		if o.tag.pos == f.tag.pos && f.tag.pos >= 0 {
			return fmt.Errorf("position %d is bound to the field %s already; change one", f.tag.pos, o.path)
		}
	}
	if d.byName != nil && f.name != "" {
		d.byName[f.name] = f.bit
	}
	if n := f.tag.pos; n >= 0 {
		for len(d.byPos) <= n {
			d.byPos = append(d.byPos, -1)
		}
		d.byPos[n] = f.bit
	}
	if f.how.op.packed() {
		d.packed = append(d.packed, f.bit)
	}
	if f.tag.required || f.tag.hasDefault {
		d.must = append(d.must, f.bit)
	}
	switch {
	case f.tag.hasDefault && f.how.repeats:
		return fmt.Errorf("a slice has no default; leave it out")
	case f.tag.hasDefault:
		return f.compileDefault()
	}
	return nil
}

// compileDefault makes a value of the default and tries it.
func (f *decodeField) compileDefault() error {
	var err error
	if f.def, err = f.how.defaultValue(f.tag.def); err == nil {
		_, err = f.how.assign(newOf(f.typ), f.def, nil)
	}
	if err != nil {
		return fmt.Errorf("the default %q cannot be bound to %s, which wants %s; change it", f.tag.def, f.goType(), f.how.want)
	}
	return nil
}

// Fields returns the bound fields in the order of their declaration.
func (d *Decoder) Fields() []FieldInfo {
	infos := make([]FieldInfo, len(d.fields))
	for i := range d.fields {
		f := &d.fields[i]
		infos[i] = FieldInfo{
			Name: f.name, Pos: f.tag.pos, Field: f.path, Group: f.group, Type: f.goType(), Types: slices.Clone(f.how.types),
			Required: f.tag.required, Strict: f.tag.strict, Default: f.tag.def, HasDefault: f.tag.hasDefault, JSON: f.tag.json, Fetch: f.fetch, Secret: f.tag.secret,
		}
	}
	return infos
}

// bits is a set of fields.
type bits [(MaxArgs + 63) / 64]uint64

func (b *bits) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b *bits) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
