package codec

import (
	"errors"
	"fmt"
	"reflect"
)

// Unmarshal binds args to dst, a pointer to a struct, see the package
// documentation for its tags.
func Unmarshal(args Args, dst any) error {
	t := reflect.TypeOf(dst)
	if t == nil || t.Kind() != reflect.Pointer {
		return fmt.Errorf("codec: cannot bind arguments to a %T; pass a pointer to a struct", dst)
	}
	d, err := DecoderOf(t)
	if err != nil {
		return err
	}
	return d.Decode("", args, dst)
}

// Decode binds a message's arguments to dst, a pointer to the decoder's struct. It
// overwrites all of dst; a field without an argument is zero. Arguments without a field are
// ignored. If two arguments have the same name, the first counts, unless the field is a
// slice. message is only for errors.
//
// An argument that its field cannot read leaves the field at its default or at
// zero, and is added to the struct's field of type [Problems]. It is an error only
// if the field is strict or required.
//
// dst shares no memory with args afterwards. After an error, a *BindError or an
// *Error, dst is zero. If the UnmarshalSPOE or UnmarshalText of a field panics, dst
// must not be used.
func (d *Decoder) Decode(message string, args Args, dst any) error {
	return d.DecodeNoting(message, args, dst, nil)
}

// DecodeNoting is Decode, and calls note for each argument of a type that its field never
// takes, such as a STRING for an int. That is a mistake in HAProxy's configuration, not in
// a visitor's request. field is an index in the result of [Decoder.Fields].
func (d *Decoder) DecodeNoting(message string, args Args, dst any, note func(field int, got Type)) error {
	if reflect.TypeOf(dst) != d.ptr {
		return fmt.Errorf("codec: this decoder binds to a %s, not to a %T", d.ptr, dst)
	}
	v := reflect.ValueOf(dst)
	p := v.UnsafePointer()
	if p == nil {
		return fmt.Errorf("codec: cannot bind arguments to a nil %T; pass one that points to a struct", dst)
	}
	v.Elem().SetZero()
	if err := d.decode(message, args, p, note); err != nil {
		v.Elem().SetZero()
		return err
	}
	return nil
}

func (d *Decoder) decode(message string, args Args, p pointer, note func(int, Type)) error {
	if len(d.fields) == 0 {
		return args.Err()
	}
	var seen bits
	size, expect := 0, &d.first
	c := cursor{b: args.raw}
	for i := range args.n {
		name, v := c.str("argument name"), c.value("argument value")
		if c.failed() {
			return c.error()
		}
		f := &d.fields[expect.Load()]
		if string(name) != f.name || len(name) == 0 {
			if f = d.lookup(name, i); f == nil {
				continue
			}
			if expect.Load() != uint32(f.bit) {
				expect.Store(uint32(f.bit))
			}
		}
		expect = &f.next
		if v.typ == TypeNull || seen.has(f.bit) && !f.how.repeats {
			continue
		}
		seen.set(f.bit)
		n, err := f.how.assign(f.reach(p), v, &c)
		if err != nil {
			if n, err = d.unread(message, f, p, v, err, note); err != nil {
				return err
			}
		}
		size += n
	}
	n, err := d.fill(message, p, &seen, args)
	if err != nil {
		return err
	}
	if size += n; size > 0 {
		d.pack(p, size)
	}
	return nil
}

// unread handles a value that the field did not read, or only in part. n is the number of
// bytes that the field borrows now.
func (d *Decoder) unread(message string, f *decodeField, p pointer, v Value, err error, note func(int, Type)) (n int, _ error) {
	if note != nil && errors.Is(err, errType) {
		note(f.bit, v.typ)
	}
	_, inPart := err.(partError)
	if f.tag.strict || f.tag.required && !inPart {
		return n, d.mismatch(message, f, v, err)
	}
	if d.problems >= 0 {
		list := as[Problems](add(p, uintptr(d.problems)))
		*list = append(*list, d.mismatch(message, f, v, err))
	}
	if inPart {
		return n, nil
	}
	f.clear(p)
	if !f.tag.hasDefault {
		return n, nil
	}
	return f.how.assign(f.reach(p), f.def, nil)
}

// lookup finds the field for an argument that is not the expected one, or nil.
func (d *Decoder) lookup(name []byte, i int) *decodeField {
	switch {
	case len(name) == 0:
		if i < len(d.byPos) && d.byPos[i] >= 0 {
			return &d.fields[d.byPos[i]]
		}
	case d.byName != nil:
		if j, ok := d.byName[string(name)]; ok {
			return &d.fields[j]
		}
	default:
		for j := range d.fields {
			if f := &d.fields[j]; f.name == string(name) {
				return f
			}
		}
	}
	return nil
}

// fill sets the fields for which no value came. Fields of a nested struct behind a pointer
// count only if another of its fields made the struct.
func (d *Decoder) fill(message string, p pointer, seen *bits, args Args) (size int, err error) {
	for _, i := range d.must {
		f := &d.fields[i]
		if seen.has(i) || !f.hasGroup(p) {
			continue
		}
		if f.tag.required {
			return size, d.missing(message, f, args)
		}
		n, err := f.how.assign(f.reach(p), f.def, nil)
		if err != nil {
			return size, d.mismatch(message, f, f.def, err)
		}
		size += n
	}
	return size, nil
}

// pack copies all bytes that the struct borrows, size of them, into one allocation.
func (d *Decoder) pack(p pointer, size int) {
	arena := make([]byte, 0, size)
	for _, i := range d.packed {
		f := &d.fields[i]
		at := f.find(p)
		if at == nil {
			continue
		}
		switch f.how.op {
		case opString, opBlock:
			s := as[string](at)
			arena = append(arena, *s...)
			*s = borrow(arena[len(arena)-len(*s):])
		case opBytes, opIP:
			b := as[[]byte](at)
			if len(*b) > 0 {
				arena = append(arena, *b...)
				*b = arena[len(arena)-len(*b) : len(arena) : len(arena)]
			}
		case opValue:
			v := as[Value](at)
			if b := v.Bytes(); len(b) > 0 {
				arena = append(arena, b...)
				*v = bytesValue(v.typ, arena[len(arena)-len(b):])
			}
		}
	}
}

// missing returns the error for a required field without a value.
func (d *Decoder) missing(message string, f *decodeField, args Args) *BindError {
	e := d.bindError(message, f)
	_, named := args.Lookup(f.name)
	name, _, at := args.At(f.tag.pos)
	e.Missing = !(named && f.name != "") && !(at && name == "")
	e.Want = f.how.want
	return e
}

// mismatch returns the error for a value that the field cannot read.
func (d *Decoder) mismatch(message string, f *decodeField, v Value, err error) *BindError {
	e := d.bindError(message, f)
	e.Got, e.Want = v.typ, f.how.want
	if v.isText() {
		e.Len = int(v.lo)
	}
	if errors.Is(err, errType) {
		e.Want = typeList(f.how.types)
	}
	if d := detail(""); errors.As(err, &d) {
		e.Detail = string(d)
	}
	if !f.tag.secret {
		e.value = v.clip(maxShown)
		if e.Detail == "" && !errors.Is(err, errType) && !errors.Is(err, errUnfit) {
			e.Err = err
		}
	}
	return e
}

// bindError returns the part of an error that does not depend on the value.
func (d *Decoder) bindError(message string, f *decodeField) *BindError {
	return &BindError{
		Message: message, Arg: f.name, Pos: f.tag.pos,
		Field: f.field, GoType: f.goName,
	}
}
