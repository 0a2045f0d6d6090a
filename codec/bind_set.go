package codec

import (
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

type addr = netip.Addr

// The setters of the types that opFunc stands for, and those of op kinds that
// are rare. v is not NULL; what it borrows must not stay in the field.

func setAddrText(p pointer, v Value) error {
	if !v.isText() {
		return errType
	}
	a, err := netip.ParseAddr(v.Str())
	if err != nil {
		return errUnfit
	}
	*as[addr](p) = a
	return nil
}

// setIPText leaves bytes of its own in the field; pack copies them once more.
func setIPText(p pointer, v Value) (n int, err error) {
	a := new(addr)
	if err := setAddrText(pointerTo(a), v); err != nil {
		return 0, err
	}
	if a.Zone() != "" {
		return 0, errUnfit
	}
	*as[net.IP](p) = a.AsSlice()
	return a.BitLen() / 8, nil
}

// setFloat refuses infinities and NaN, which a client could send to get past
// every comparison.
func setFloat(size int) func(p pointer, v Value) error {
	return func(p pointer, v Value) error {
		f := 0.0
		switch {
		case v.isText():
			var err error
			if f, err = strconv.ParseFloat(borrow(v.Bytes()), size); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
				return errUnfit
			}
		case v.typ == TypeInt32, v.typ == TypeInt64:
			f = float64(int64(v.lo))
		case v.typ == TypeUint32, v.typ == TypeUint64:
			f = float64(v.lo)
		default:
			return errType
		}
		if size == 32 {
			*as[float32](p) = float32(f)
		} else {
			*as[float64](p) = f
		}
		return nil
	}
}

// setDuration takes an integer as milliseconds: HAProxy's own times are that.
func setDuration(p pointer, v Value) error {
	const ms = int64(time.Millisecond)
	if v.isText() {
		d, err := time.ParseDuration(borrow(v.Bytes()))
		if err != nil {
			return errUnfit
		}
		*as[time.Duration](p) = d
		return nil
	}
	n, ok := v.Int()
	if !ok || n > math.MaxInt64/ms || n < math.MinInt64/ms {
		return integerError(v)
	}
	*as[time.Duration](p) = time.Duration(n * ms)
	return nil
}

// setTime takes an integer as seconds since 1970: HAProxy's sample date is that.
func setTime(p pointer, v Value) error {
	if v.isText() {
		if as[time.Time](p).UnmarshalText(v.Bytes()) != nil {
			return errUnfit
		}
		return nil
	}
	n, ok := v.Int()
	if !ok {
		return integerError(v)
	}
	*as[time.Time](p) = time.Unix(n, 0).UTC()
	return nil
}

func setHeader(p pointer, v Value) (err error) {
	var h http.Header
	switch v.typ {
	case TypeString:
		h, err = DecodeHeadersText(v.Bytes())
	case TypeBinary:
		h, err = DecodeHeadersBin(v.Bytes())
	default:
		return errType
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		// Not an *Error: the frame is sound, it is the sample that is not.
		return errors.New(e.Reason + " at byte " + strconv.Itoa(e.Offset) + " of the headers")
	}
	*as[http.Header](p) = h
	return nil
}

func setValues(p pointer, v Value) error {
	if !v.isText() {
		return errType
	}
	q, err := url.ParseQuery(v.Str())
	if err != nil {
		return err
	}
	*as[url.Values](p) = q
	return nil
}

func setAny(p pointer, v Value) error {
	*as[any](p) = v.Any()
	return nil
}

func setHook(t reflect.Type) func(p pointer, v Value) error {
	return func(p pointer, v Value) error { return interfaceAt(t, p).(Unmarshaler).UnmarshalSPOE(v) }
}

func setText(t reflect.Type) func(p pointer, v Value) error {
	return func(p pointer, v Value) error {
		text := v.Bytes()
		if !v.isText() {
			text = []byte(v.String())
		}
		return interfaceAt(t, p).(encoding.TextUnmarshaler).UnmarshalText(text)
	}
}

func jsonBinding(t reflect.Type) (binding, bool) {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return binding{}, false
	}
	set := func(p pointer, v Value) error {
		if !v.isText() {
			return errType
		}
		return json.Unmarshal(v.Bytes(), interfaceAt(t, p))
	}
	return binding{set: set, types: texts, want: "JSON"}, true
}
