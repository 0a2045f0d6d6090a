package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

func jsonBinding(t reflect.Type) (binding, bool) {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return binding{}, false
	}
	set := func(p pointer, v Value) error {
		if !v.isText() {
			return errType
		}
		return jsonError(json.Unmarshal(v.Bytes(), interfaceAt(t, p)), reflect.NewAt(t, p).Elem())
	}
	return binding{set: set, types: texts, want: "JSON"}, true
}

// jsonError returns err without the text of the value. If the JSON does not have the
// field's shape, the field gets the members that fit.
func jsonError(err error, field reflect.Value) error {
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return detail(fmt.Sprintf("a mistake in the JSON at byte %d", syntax.Offset))
	case errors.As(err, &shape):
		wrong := detail(fmt.Sprintf("a JSON value of another type at byte %d", shape.Offset))
		if !field.IsZero() {
			return partError{wrong}
		}
		return wrong
	}
	return err
}
