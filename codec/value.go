package codec

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"unsafe"
)

// Value is one typed value (§3.1). The zero Value is NULL. A decoded Value refers to
// the bytes of its frame, see the package documentation; Clone returns a copy. Compare
// values with Equal, not with ==.
type Value struct {
	kind
	// p points to the bytes of a STRING or BINARY, lo of them. A pointer and a
	// length hold a string and a []byte alike, without a copy and in 32 bytes
	// (slog.Value does the same).
	p *byte
	// hi and lo are the halves of an IPV6 address; lo alone is a BOOL, an
	// integer (two's complement), an IPV4 address or a length.
	hi, lo uint64
}

// kind is the Type, in a separate struct so that Value has four fields: the compiler
// keeps a struct of up to four in registers, which halves the cost of a bind.
type kind struct {
	_   [0]func() // no ==: equal strings may lie at different addresses
	typ Type
}

func bytesValue(t Type, b []byte) Value {
	return Value{kind: kind{typ: t}, p: unsafe.SliceData(b), lo: uint64(len(b))}
}

// Null returns the NULL value.
func Null() Value { return Value{} }

// Bool returns a BOOL.
func Bool(v bool) Value {
	if v {
		return Value{kind: kind{typ: TypeBool}, lo: 1}
	}
	return Value{kind: kind{typ: TypeBool}}
}

// Int32 returns an INT32.
func Int32(v int32) Value { return Value{kind: kind{typ: TypeInt32}, lo: uint64(int64(v))} }

// Uint32 returns a UINT32.
func Uint32(v uint32) Value { return Value{kind: kind{typ: TypeUint32}, lo: uint64(v)} }

// Int64 returns an INT64, HAProxy's own type of integers.
func Int64(v int64) Value { return Value{kind: kind{typ: TypeInt64}, lo: uint64(v)} }

// Uint64 returns a UINT64. HAProxy keeps integers as signed 64 bits: it reads
// a value above 2^63-1 as negative.
func Uint64(v uint64) Value { return Value{kind: kind{typ: TypeUint64}, lo: v} }

// String returns a STRING that shares v's bytes.
func String(v string) Value {
	return Value{kind: kind{typ: TypeString}, p: unsafe.StringData(v), lo: uint64(len(v))}
}

// Binary returns a BINARY that shares v's bytes.
func Binary(v []byte) Value { return bytesValue(TypeBinary, v) }

// Float returns a STRING with the shortest decimal form of v, without an
// exponent: SPOP has no float, and HAProxy compares this with -m str and,
// truncated, with -m int.
func Float(v float64) Value { return String(decimal(v, 64)) }

// decimal returns the shortest decimal form of a number of that many bits.
func decimal(f float64, bits int) string { return strconv.FormatFloat(f, 'f', -1, bits) }

// Addr returns an IPV4 or IPV6, or NULL for the zero netip.Addr. An
// IPv4-mapped IPv6 address stays IPV6. A zone is left out: SPOP has none.
func Addr(a netip.Addr) Value {
	switch {
	case !a.IsValid():
		return Value{}
	case a.Is4():
		b := a.As4()
		return Value{kind: kind{typ: TypeIPv4}, lo: uint64(binary.BigEndian.Uint32(b[:]))}
	default:
		b := a.As16()
		return Value{kind: kind{typ: TypeIPv6}, hi: binary.BigEndian.Uint64(b[:]), lo: binary.BigEndian.Uint64(b[8:])}
	}
}

// Type returns the value's type on the wire.
func (v Value) Type() Type { return v.typ }

// IsNull reports whether v is NULL.
func (v Value) IsNull() bool { return v.typ == TypeNull }

// Bool returns a BOOL, and whether v is one.
func (v Value) Bool() (val, ok bool) { return v.typ == TypeBool && v.lo != 0, v.typ == TypeBool }

// Int returns an integer of any type, and whether v is one that fits.
func (v Value) Int() (int64, bool) {
	switch v.typ {
	case TypeInt32, TypeInt64:
		return int64(v.lo), true
	case TypeUint32, TypeUint64: // a UINT32 may come with more than 32 bits
		return int64(v.lo), int64(v.lo) >= 0
	}
	return 0, false
}

// Uint returns an integer of any type, and whether v is one that fits.
func (v Value) Uint() (uint64, bool) {
	switch v.typ {
	case TypeUint32, TypeUint64:
		return v.lo, true
	case TypeInt32, TypeInt64:
		return v.lo, int64(v.lo) >= 0
	}
	return 0, false
}

// Addr returns an address, and whether v is one.
func (v Value) Addr() (netip.Addr, bool) {
	switch v.typ {
	case TypeIPv4:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(v.lo))
		return netip.AddrFrom4(b), true
	case TypeIPv6:
		return netip.AddrFrom16(v.as16()), true
	}
	return netip.Addr{}, false
}

func (v Value) as16() (b [16]byte) {
	binary.BigEndian.PutUint64(b[:], v.hi)
	binary.BigEndian.PutUint64(b[8:], v.lo)
	return b
}

// Bytes returns the bytes of a STRING or BINARY without copying them: they are valid as
// long as the bytes that v was made from, and must not be changed. It returns nil for
// other types.
func (v Value) Bytes() []byte {
	if !v.isText() {
		return nil
	}
	return unsafe.Slice(v.p, int(v.lo))
}

func (v Value) isText() bool { return v.typ == TypeString || v.typ == TypeBinary }

// Str returns a copy of a STRING or BINARY as a string, safe to keep. It
// returns "" for other types.
func (v Value) Str() string { return string(v.Bytes()) }

// Clone returns v with a copy of its bytes, safe to keep.
func (v Value) Clone() Value {
	if !v.isText() {
		return v
	}
	return bytesValue(v.typ, bytes.Clone(v.Bytes()))
}

// Equal reports whether v and w have the same type and the same value.
func (v Value) Equal(w Value) bool {
	if v.isText() {
		return v.typ == w.typ && bytes.Equal(v.Bytes(), w.Bytes())
	}
	return v.typ == w.typ && v.hi == w.hi && v.lo == w.lo
}

// Any returns v as a Go value that shares no memory with v: nil, bool, int for INT32
// and INT64, uint for UINT32 and UINT64, net.IP, string or []byte.
func (v Value) Any() any {
	switch v.typ {
	case TypeBool:
		return v.lo != 0
	case TypeInt32, TypeInt64:
		return int(int64(v.lo))
	case TypeUint32, TypeUint64:
		return uint(v.lo)
	case TypeIPv4:
		return net.IP(binary.BigEndian.AppendUint32(nil, uint32(v.lo)))
	case TypeIPv6:
		b := v.as16()
		return net.IP(bytes.Clone(b[:]))
	case TypeString:
		return v.Str()
	case TypeBinary:
		return append([]byte{}, v.Bytes()...)
	}
	return nil
}

// String returns v as people read it, for logs; a BINARY is quoted.
func (v Value) String() string {
	switch v.typ {
	case TypeNull:
		return "null"
	case TypeBool:
		return strconv.FormatBool(v.lo != 0)
	case TypeInt32, TypeInt64:
		return strconv.FormatInt(int64(v.lo), 10)
	case TypeUint32, TypeUint64:
		return strconv.FormatUint(v.lo, 10)
	case TypeIPv4, TypeIPv6:
		a, _ := v.Addr()
		return a.String()
	case TypeString:
		return v.Str()
	case TypeBinary:
		return strconv.Quote(v.Str())
	}
	return v.typ.String()
}

// AppendValue appends v as TYPED-DATA.
func AppendValue(b []byte, v Value) []byte {
	switch v.typ {
	case TypeBool:
		if v.lo != 0 {
			return append(b, byte(TypeBool)|flagBoolTrue)
		}
		return append(b, byte(TypeBool))
	case TypeInt32, TypeUint32, TypeInt64, TypeUint64:
		return AppendVarint(append(b, byte(v.typ)), v.lo)
	case TypeIPv4:
		return binary.BigEndian.AppendUint32(append(b, byte(TypeIPv4)), uint32(v.lo))
	case TypeIPv6:
		b = binary.BigEndian.AppendUint64(append(b, byte(TypeIPv6)), v.hi)
		return binary.BigEndian.AppendUint64(b, v.lo)
	case TypeString, TypeBinary:
		b = AppendVarint(append(b, byte(v.typ)), v.lo)
		return append(b, v.Bytes()...)
	}
	return append(b, byte(TypeNull))
}

// AppendString appends s as a STRING without a type: its length and its bytes.
func AppendString(b []byte, s string) []byte {
	return append(AppendVarint(b, uint64(len(s))), s...)
}
