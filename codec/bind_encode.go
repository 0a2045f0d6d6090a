package codec

import (
	"fmt"
	"reflect"
)

// Append appends an action for each bound field of src, a pointer to the
// encoder's struct, in the order they are written. A nil src has none. After
// an error, which names the field, b comes back as it was given.
//
// A field without a value (a nil pointer, a NULL, a zero address) makes no
// action or, with unset, an unset-var; a zero one makes none with omitempty.
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
			// Where a struct around it is nil, the field is as absent as where its
			// own pointer is.
			out = append(out, f.unset...)
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
