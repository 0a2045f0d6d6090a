package codec

import (
	"encoding"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"time"
)

// source makes values of a Go type.
type source struct {
	op       op
	typ      Type  // of an integer
	size     uint8 // bytes of an integer
	make     func(b []byte, p pointer) ([]byte, error)
	zero     func(p pointer) bool // for opFunc
	types    []Type
	nullable bool // it can be without a value, pointer or not
}

// errNull is the result of append if there is no value.
var errNull = errors.New("no value")

var (
	marshaler    = reflect.TypeFor[Marshaler]()
	textWriter   = reflect.TypeFor[encoding.TextMarshaler]()
	textAppender = reflect.TypeFor[encoding.TextAppender]()
)

// sourceOf returns how t makes values; ok is false if it cannot.
func sourceOf(t reflect.Type, json bool) (s source, ok bool) {
	if json {
		if _, ok := jsonBinding(t); !ok {
			return source{}, false
		}
		return source{make: appendJSON(t), zero: isZero(t), types: []Type{TypeString}}, true
	}
	if reflect.PointerTo(t).Implements(marshaler) {
		return source{make: appendHook(t), zero: isZero(t), types: anyNonNull, nullable: true}, true
	}
	switch t {
	case reflect.TypeFor[Value]():
		return source{op: opValue, types: anyNonNull, nullable: true}, true
	case reflect.TypeFor[netip.Addr]():
		return source{op: opAddr, types: []Type{TypeIPv4, TypeIPv6}, nullable: true}, true
	case reflect.TypeFor[net.IP]():
		return source{op: opIP, types: []Type{TypeIPv4, TypeIPv6}, nullable: true}, true
	case reflect.TypeFor[time.Duration]():
		return source{make: appendDuration, zero: isZero(t), types: []Type{TypeInt64}}, true
	case reflect.TypeFor[HeaderBlock]():
		return source{make: appendBlock, zero: isZero(t), types: []Type{TypeBinary}}, true
	case reflect.TypeFor[http.Header]():
		return source{make: appendHeader, zero: isEmptyMap(t), types: []Type{TypeBinary}}, true
	case reflect.TypeFor[url.Values]():
		return source{make: appendValues, zero: isEmptyMap(t), types: []Type{TypeString}}, true
	}
	switch {
	case reflect.PointerTo(t).Implements(textAppender):
		return source{make: appendAppender(t), zero: isZero(t), types: []Type{TypeString}}, true
	case reflect.PointerTo(t).Implements(textWriter):
		return source{make: appendText(t), zero: isZero(t), types: []Type{TypeString}}, true
	}
	return kindSource(t)
}

func kindSource(t reflect.Type) (s source, ok bool) {
	integer := func(o op, typ Type) (source, bool) {
		return source{op: o, typ: typ, size: uint8(t.Size()), types: []Type{typ}}, true
	}
	switch t.Kind() {
	case reflect.Bool:
		return source{op: opBool, types: []Type{TypeBool}}, true
	case reflect.Int8, reflect.Int16, reflect.Int32:
		return integer(opInt, TypeInt32)
	case reflect.Int, reflect.Int64:
		return integer(opInt, TypeInt64)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return integer(opUint, TypeUint32)
	case reflect.Uint, reflect.Uint64:
		return integer(opUint, TypeUint64)
	case reflect.Float32, reflect.Float64:
		return source{make: appendFloat(t.Bits()), zero: isZero(t), types: []Type{TypeString}}, true
	case reflect.String:
		return source{op: opString, types: []Type{TypeString}}, true
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return source{op: opBytes, types: []Type{TypeBinary}}, true
		}
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return source{make: appendAny, zero: isZero(t), types: anyNonNull, nullable: true}, true
		}
	}
	return source{}, false
}
