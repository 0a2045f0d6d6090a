package codec

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// append appends the value of the field at p, or returns errNull.
func (s *source) append(b []byte, p pointer) ([]byte, error) {
	switch s.op {
	case opString:
		return AppendValue(b, String(*as[string](p))), nil
	case opInt:
		return AppendVarint(append(b, byte(s.typ)), uint64(loadInt(p, s.size))), nil
	case opUint:
		return AppendVarint(append(b, byte(s.typ)), loadUint(p, s.size)), nil
	case opBool:
		return AppendValue(b, Bool(*as[bool](p))), nil
	case opBytes:
		return AppendValue(b, Binary(*as[[]byte](p))), nil
	case opAddr:
		return appendNonNull(b, Addr(*as[addr](p)), nil)
	case opIP:
		v, err := ipValue(*as[net.IP](p))
		return appendNonNull(b, v, err)
	case opValue:
		return appendNonNull(b, *as[Value](p), nil)
	}
	return s.make(b, p)
}

// empty reports whether omitempty leaves the field at p out.
func (s *source) empty(p pointer) bool {
	switch s.op {
	case opString:
		return *as[string](p) == ""
	case opInt, opUint:
		return loadUint(p, s.size) == 0
	case opBool:
		return !*as[bool](p)
	case opBytes, opIP:
		return len(*as[[]byte](p)) == 0
	case opAddr:
		return !as[addr](p).IsValid()
	case opValue:
		return as[Value](p).IsNull()
	}
	return s.zero(p)
}

func loadUint(p pointer, size uint8) uint64 {
	switch size {
	case 1:
		return uint64(*as[uint8](p))
	case 2:
		return uint64(*as[uint16](p))
	case 4:
		return uint64(*as[uint32](p))
	}
	return *as[uint64](p)
}

func loadInt(p pointer, size uint8) int64 {
	shift := 64 - 8*size
	return int64(loadUint(p, size)<<shift) >> shift
}

// isZero returns a function that calls the type's IsZero, such as that of time.Time, or
// compares all fields with zero.
func isZero(t reflect.Type) func(p pointer) bool {
	type zeroer interface{ IsZero() bool }
	if reflect.PointerTo(t).Implements(reflect.TypeFor[zeroer]()) {
		return func(p pointer) bool { return interfaceAt(t, p).(zeroer).IsZero() }
	}
	if k := t.Kind(); k == reflect.Map || k == reflect.Slice {
		return isEmptyMap(t)
	}
	return func(p pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() }
}

func isEmptyMap(t reflect.Type) func(p pointer) bool {
	return func(p pointer) bool { return reflect.NewAt(t, p).Elem().Len() == 0 }
}

func appendNonNull(b []byte, v Value, err error) ([]byte, error) {
	switch {
	case err != nil:
		return b, err
	case v.IsNull():
		return b, errNull
	}
	return AppendValue(b, v), nil
}

func appendFloat(size int) func(b []byte, p pointer) ([]byte, error) {
	return func(b []byte, p pointer) ([]byte, error) {
		f := 0.0
		if size == 32 {
			f = float64(*as[float32](p))
		} else {
			f = *as[float64](p)
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return b, noDecimal(f, size)
		}
		b, start := beginText(b)
		return finishText(strconv.AppendFloat(b, f, 'f', -1, size), start), nil
	}
}

// appendDuration appends milliseconds, the unit of HAProxy's own times.
func appendDuration(b []byte, p pointer) ([]byte, error) {
	return AppendValue(b, Int64(as[time.Duration](p).Milliseconds())), nil
}

func appendHeader(b []byte, p pointer) ([]byte, error) {
	h := *as[http.Header](p)
	for name, values := range h {
		for _, value := range values {
			if wrong := badHeader(name, value); wrong != "" {
				return b, fmt.Errorf("header %q %s", name, wrong)
			}
		}
	}
	b, start := beginBytes(b, TypeBinary)
	return finishText(AppendHeadersBin(b, h), start), nil
}

// appendBlock appends the headers in their order, and checks each as for an
// http.Header.
func appendBlock(b []byte, p pointer) ([]byte, error) {
	b, start := beginBytes(b, TypeBinary)
	for name, value := range as[HeaderBlock](p).All() {
		if wrong := badHeader(name, value); wrong != "" {
			return b, fmt.Errorf("header %q %s", name, wrong)
		}
		b = AppendString(AppendString(b, name), value)
	}
	return finishText(append(b, 0, 0), start), nil
}

func appendValues(b []byte, p pointer) ([]byte, error) {
	return AppendValue(b, String(as[url.Values](p).Encode())), nil
}

func appendAny(b []byte, p pointer) ([]byte, error) {
	v, err := ValueOf(*as[any](p))
	return appendNonNull(b, v, err)
}

func appendHook(t reflect.Type) func(b []byte, p pointer) ([]byte, error) {
	return func(b []byte, p pointer) ([]byte, error) {
		v, err := interfaceAt(t, p).(Marshaler).MarshalSPOE()
		return appendNonNull(b, v, err)
	}
}

func appendAppender(t reflect.Type) func(b []byte, p pointer) ([]byte, error) {
	return func(b []byte, p pointer) ([]byte, error) {
		b, start := beginText(b)
		b, err := interfaceAt(t, p).(encoding.TextAppender).AppendText(b)
		if err != nil {
			return b, err
		}
		return finishText(b, start), nil
	}
}

func appendText(t reflect.Type) func(b []byte, p pointer) ([]byte, error) {
	return func(b []byte, p pointer) ([]byte, error) {
		text, err := interfaceAt(t, p).(encoding.TextMarshaler).MarshalText()
		return AppendValue(b, String(borrow(text))), err
	}
}

func appendJSON(t reflect.Type) func(b []byte, p pointer) ([]byte, error) {
	return func(b []byte, p pointer) ([]byte, error) {
		text, err := json.Marshal(interfaceAt(t, p))
		return AppendValue(b, String(borrow(text))), err
	}
}
