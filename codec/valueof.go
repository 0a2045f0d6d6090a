package codec

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
)

// ValueOf returns the value for a Go value: nil, bool, any integer or float, string,
// []byte, netip.Addr, net.IP or Value. A net.IP that has an IPv4 form becomes IPV4: the
// type does not distinguish the two. An infinity or a NaN is an error. Strings and slices
// are shared, not copied.
func ValueOf(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return v, nil
	case bool:
		return Bool(v), nil
	case int:
		return Int64(int64(v)), nil
	case int8:
		return Int32(int32(v)), nil
	case int16:
		return Int32(int32(v)), nil
	case int32:
		return Int32(v), nil
	case int64:
		return Int64(v), nil
	case uint:
		return Uint64(uint64(v)), nil
	case uint8:
		return Uint32(uint32(v)), nil
	case uint16:
		return Uint32(uint32(v)), nil
	case uint32:
		return Uint32(v), nil
	case uint64:
		return Uint64(v), nil
	case float32:
		return floatValue(float64(v), 32)
	case float64:
		return floatValue(v, 64)
	case string:
		return String(v), nil
	case []byte:
		return Binary(v), nil
	case netip.Addr:
		return Addr(v), nil
	case net.IP:
		return ipValue(v)
	}
	return Value{}, fmt.Errorf("a %T has no SPOP type; use a bool, an integer, a float, a string, []byte, netip.Addr or net.IP", v)
}

// floatValue returns an error for a number without a decimal form.
func floatValue(f float64, size int) (Value, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, noDecimal(f, size)
	}
	return String(decimal(f, size)), nil
}

func noDecimal(f float64, size int) error {
	return errors.New(decimal(f, size) + " has no decimal form; set another value or none")
}

func ipValue(ip net.IP) (Value, error) {
	if len(ip) == 0 {
		return Value{}, nil
	}
	a, ok := netip.AddrFromSlice(ip)
	if !ok {
		return Value{}, fmt.Errorf("a net.IP of %d bytes is no address; it has 4 or 16", len(ip))
	}
	return Addr(a.Unmap()), nil
}
