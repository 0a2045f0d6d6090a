package codec

import (
	"encoding"
	"math"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

type addr = netip.Addr

// The setters of types that are read from text, and of other rare ones. v is not NULL;
// the field must not keep bytes that v borrows.

func setAddrText(p pointer, v Value) error {
	if !v.isText() {
		return errType
	}
	a, err := netip.ParseAddr(v.Str())
	if err != nil {
		return errUnfit
	}
	if a.Zone() != "" {
		return errZone
	}
	*as[addr](p) = a
	return nil
}

// errZone refuses fe80::1%eth0: the visitor chooses the text of a zone, and an address
// with a zone does not equal any address on a list.
var errZone = detail("the address has a zone")

func setAddrPort(p pointer, v Value) error {
	if !v.isText() {
		return errType
	}
	a, err := netip.ParseAddrPort(v.Str())
	switch {
	case err != nil:
		return errUnfit
	case a.Addr().Zone() != "":
		return errZone
	}
	*as[netip.AddrPort](p) = a
	return nil
}

// setIPText leaves bytes of its own in the field; pack copies them once more.
func setIPText(p pointer, v Value) error {
	a := new(addr)
	if err := setAddrText(pointerTo(a), v); err != nil {
		return err
	}
	*as[net.IP](p) = a.AsSlice()
	return nil
}

// setFloat takes decimal numbers. It refuses infinities and NaN, with which a visitor
// could evade every comparison, and other forms of Go's literals, such as 0x1p4 and
// 1_000.
func setFloat(size int) func(p pointer, v Value) error {
	return func(p pointer, v Value) error {
		f := 0.0
		switch {
		case v.isText():
			var err error
			text := borrow(v.Bytes())
			if f, err = strconv.ParseFloat(text, size); err != nil || strings.Trim(text, "+-.0123456789eE") != "" || strings.ContainsAny(text, "_xX") {
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

// setDuration takes an integer as milliseconds, the unit of HAProxy's own times.
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

// Times from year 1 to 9999, in seconds since 1970. RFC 3339 has no text for other
// times, and time.Unix overflows: 2^63-1 is before 1970.
const minTime, maxTime = -62135596800, 253402300799

// setTime takes an integer as seconds since 1970, as HAProxy's sample date returns it.
func setTime(p pointer, v Value) error {
	if v.isText() {
		if as[time.Time](p).UnmarshalText(v.Bytes()) != nil {
			return errUnfit
		}
		return nil
	}
	n, ok := v.Int()
	if !ok || n < minTime || n > maxTime {
		return integerError(v)
	}
	*as[time.Time](p) = time.Unix(n, 0).UTC()
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
