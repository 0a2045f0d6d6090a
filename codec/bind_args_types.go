package codec

import (
	"encoding"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// op selects how a field is set or read. Common kinds have their own op, because a
// switch costs less than a call through a func.
type op uint8

const (
	opFunc op = iota
	opBool
	opInt
	opUint
	opString
	opBytes
	opIP
	opAddr
	opValue
	opBlock
)

// packed reports whether the op leaves borrowed bytes for pack to copy.
func (o op) packed() bool {
	return o == opString || o == opBytes || o == opIP || o == opValue || o == opBlock
}

// binding sets fields of a Go type.
type binding struct {
	op       op
	size     uint8 // bytes of an integer
	min, max int64
	umax     uint64
	set      func(p pointer, v Value) error
	types    []Type
	want     string
	repeats  bool // each argument of the name counts, not only the first
}

// The errors of assign for a value of a wrong type, and for a wrong value of the right
// type. A detail, or an error of the field's own type, takes the place of errUnfit.
var (
	errType  = errors.New("wrong type")
	errUnfit = errors.New("unfit value")
)

var (
	integers    = []Type{TypeInt32, TypeUint32, TypeInt64, TypeUint64}
	texts       = []Type{TypeString, TypeBinary}
	addresses   = []Type{TypeIPv4, TypeIPv6, TypeString, TypeBinary}
	numbers     = append(append([]Type{}, texts...), integers...)
	anyNonNull  = []Type{TypeBool, TypeInt32, TypeUint32, TypeInt64, TypeUint64, TypeIPv4, TypeIPv6, TypeString, TypeBinary}
	unmarshaler = reflect.TypeFor[Unmarshaler]()
	textReader  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// bindingOf returns how t takes values; ok is false if it cannot.
func bindingOf(t reflect.Type, json bool) (b binding, ok bool) {
	if json {
		return jsonBinding(t)
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return binding{set: setHook(t), types: anyNonNull, want: "the types that its UnmarshalSPOE takes"}, true
	}
	switch t {
	case reflect.TypeFor[Value]():
		return binding{op: opValue, types: anyNonNull, want: "any value"}, true
	case reflect.TypeFor[netip.Addr]():
		return binding{op: opAddr, types: addresses, want: "an IP address"}, true
	case reflect.TypeFor[net.IP]():
		return binding{op: opIP, types: addresses, want: "an IP address"}, true
	case reflect.TypeFor[time.Duration]():
		return binding{set: setDuration, types: numbers, want: "a duration such as 1m30s, or milliseconds as an integer"}, true
	case reflect.TypeFor[time.Time]():
		return binding{set: setTime, types: numbers, want: "a time as in RFC 3339, or seconds since 1970 as an integer"}, true
	case reflect.TypeFor[netip.AddrPort]():
		return binding{set: setAddrPort, types: texts, want: "an IP address with a port"}, true
	case reflect.TypeFor[HeaderBlock]():
		return binding{op: opBlock, types: []Type{TypeBinary}, want: "HAProxy's req.hdrs_bin"}, true
	case reflect.TypeFor[http.Header]():
		return binding{set: setHeader, types: texts, want: "HAProxy's req.hdrs_bin as BINARY or req.hdrs as STRING"}, true
	case reflect.TypeFor[url.Values]():
		return binding{set: setValues, types: texts, want: "a query string"}, true
	}
	if reflect.PointerTo(t).Implements(textReader) {
		return binding{set: setText(t), types: anyNonNull, want: "text that its UnmarshalText takes"}, true
	}
	return kindBinding(t)
}

func kindBinding(t reflect.Type) (b binding, ok bool) {
	switch k := t.Kind(); k {
	case reflect.Bool:
		return binding{op: opBool, types: []Type{TypeBool}, want: "BOOL"}, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		lo := int64(-1) << (t.Bits() - 1)
		return binding{op: opInt, size: uint8(t.Size()), min: lo, max: ^lo, types: integers,
			want: fmt.Sprintf("an integer from %d to %d", lo, ^lo)}, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		hi := ^uint64(0) >> (64 - t.Bits())
		return binding{op: opUint, size: uint8(t.Size()), umax: hi, types: integers,
			want: fmt.Sprintf("an integer from 0 to %d", hi)}, true
	case reflect.Float32, reflect.Float64:
		return binding{set: setFloat(t.Bits()), types: numbers, want: "a finite decimal number"}, true
	case reflect.String:
		return binding{op: opString, types: texts, want: typeList(texts)}, true
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return binding{op: opBytes, types: texts, want: typeList(texts)}, true
		}
		return sliceBinding(t)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return binding{set: setAny, types: anyNonNull, want: "any value"}, true
		}
	}
	return binding{}, false
}

// defaultValue makes a value of the text of a default.
func (b *binding) defaultValue(text string) (Value, error) {
	switch b.op {
	case opBool:
		v, err := strconv.ParseBool(text)
		return Bool(v), err
	case opInt:
		v, err := strconv.ParseInt(text, 10, 64)
		return Int64(v), err
	case opUint:
		v, err := strconv.ParseUint(text, 10, 64)
		return Uint64(v), err
	}
	return String(text), nil
}
