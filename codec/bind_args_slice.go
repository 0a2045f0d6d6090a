package codec

import "reflect"

// sliceBinding returns how a slice takes values: each argument of its name becomes an
// element.
func sliceBinding(t reflect.Type) (binding, bool) {
	elem, ok := bindingOf(t.Elem(), false)
	if !ok || elem.repeats {
		return binding{}, false
	}
	set := func(p pointer, v Value) error {
		at := reflect.New(t.Elem())
		if err := elem.setOwn(at.UnsafePointer(), v); err != nil {
			return partError{err}
		}
		s := reflect.NewAt(t, p).Elem()
		s.Set(reflect.Append(s, at.Elem()))
		return nil
	}
	return binding{set: set, types: elem.types, want: elem.want, repeats: true}, true
}

// setOwn is assign for a place that pack does not know: the place borrows nothing.
func (b *binding) setOwn(p pointer, v Value) error {
	if a, ok := v.Addr(); ok && b.op == opIP {
		*as[[]byte](p) = a.AsSlice()
		return nil
	}
	_, err := b.assign(p, v.Clone(), nil)
	return err
}
