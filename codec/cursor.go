package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// cursor reads wire bytes from front to back. It is the only code that indexes them.
// The first failure sticks: every later read returns zero values, so a decoder checks
// err once, at its end. It compares each length with the bytes that are there before it
// slices, and allocates nothing from a length.
type cursor struct {
	b   []byte
	off int
	err *Error
}

func (c *cursor) failed() bool { return c.err != nil }

// error returns the sticky error, never a typed nil.
func (c *cursor) error() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func (c *cursor) fail(at int, format string, args ...any) {
	if c.err == nil {
		c.err = &Error{Status: StatusInvalid, Offset: at, Reason: fmt.Sprintf(format, args...)}
		c.off = len(c.b)
	}
}

func (c *cursor) more() bool { return c.off < len(c.b) }

func (c *cursor) byte(what string) byte {
	if c.off >= len(c.b) {
		c.fail(c.off, "%s is missing", what)
		return 0
	}
	v := c.b[c.off]
	c.off++
	return v
}

func (c *cursor) uint32(what string) uint32 {
	b := c.take(4, what)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// varint reads the peers encoding of §3.1.
func (c *cursor) varint(what string) uint64 {
	if c.off < len(c.b) {
		if v := c.b[c.off]; v < 240 { // nearly all varints; a call would cost more
			c.off++
			return uint64(v)
		}
	}
	return c.longVarint(what)
}

func (c *cursor) longVarint(what string) uint64 {
	start := c.off
	if start >= len(c.b) {
		c.fail(start, "%s is missing", what)
		return 0
	}
	v := uint64(c.b[start])
	for i, shift := start+1, uint(4); ; i, shift = i+1, shift+7 {
		if i >= len(c.b) {
			c.fail(start, "%s breaks off within its varint", what)
			return 0
		}
		d := uint64(c.b[i])
		part := d << shift
		if shift > 60 || part>>shift != d || v+part < v {
			c.fail(start, "%s is a varint over 64 bits", what)
			return 0
		}
		v += part
		if d < 128 {
			c.off = i + 1
			return v
		}
	}
}

// take returns the next n bytes, capped so that an append to them copies.
func (c *cursor) take(n uint64, what string) []byte {
	if n > uint64(len(c.b)-c.off) {
		c.fail(c.off, "%s of %d bytes goes beyond the %d that are left", what, n, len(c.b)-c.off)
		return nil
	}
	end := c.off + int(n)
	v := c.b[c.off:end:end]
	c.off = end
	return v
}

// str reads a STRING without a type: a length and its bytes.
func (c *cursor) str(what string) []byte {
	if c.off < len(c.b) {
		start := c.off + 1
		if n := c.b[c.off]; n < 240 && int(n) <= len(c.b)-start { // nearly all strings
			end := start + int(n)
			c.off = end
			return c.b[start:end:end]
		}
	}
	return c.longStr(what)
}

func (c *cursor) longStr(what string) []byte {
	n := c.varint(what)
	if c.err != nil {
		return nil
	}
	return c.take(n, what)
}

// last returns the n bytes that were read last, capped.
func (c *cursor) last(n int) []byte { return c.since(c.off - n) }

// since returns the bytes that were read since the offset start, capped.
func (c *cursor) since(start int) []byte { return c.b[start:c.off:c.off] }

// line returns the bytes up to the next LF or the end, without the LF and a CR before
// it.
func (c *cursor) line() []byte {
	start, end := c.off, len(c.b)
	c.off = end
	if i := bytes.IndexByte(c.b[start:], '\n'); i >= 0 {
		end = start + i
		c.off = end + 1
	}
	return bytes.TrimSuffix(c.b[start:end:end], []byte("\r"))
}

// rest returns the bytes that are left.
func (c *cursor) rest() []byte { return c.b[c.off:len(c.b):len(c.b)] }

// value reads one typed value.
func (c *cursor) value(what string) Value {
	start := c.off
	t := c.byte(what)
	if c.err != nil {
		return Value{}
	}
	switch Type(t & typeMask) {
	case TypeNull:
		return Value{}
	case TypeBool:
		if t&flagBoolTrue != 0 {
			return Value{kind: kind{typ: TypeBool}, lo: 1}
		}
		return Value{kind: kind{typ: TypeBool}}
	case TypeInt32, TypeUint32, TypeInt64, TypeUint64:
		return Value{kind: kind{typ: Type(t & typeMask)}, lo: c.varint(what)}
	case TypeIPv4:
		if b := c.take(4, what); b != nil {
			return Value{kind: kind{typ: TypeIPv4}, lo: uint64(binary.BigEndian.Uint32(b))}
		}
	case TypeIPv6:
		if b := c.take(16, what); b != nil {
			return Value{kind: kind{typ: TypeIPv6}, hi: binary.BigEndian.Uint64(b), lo: binary.BigEndian.Uint64(b[8:])}
		}
	case TypeString, TypeBinary:
		if b := c.str(what); c.err == nil {
			return bytesValue(Type(t&typeMask), b)
		}
	default:
		c.fail(start, "%s has the reserved type %d", what, t&typeMask)
	}
	return Value{}
}

// skip skips one typed value, and checks it as value does.
func (c *cursor) skip(what string) {
	t := c.byte(what)
	if c.err != nil {
		return
	}
	switch Type(t & typeMask) {
	case TypeNull, TypeBool:
	case TypeInt32, TypeUint32, TypeInt64, TypeUint64:
		c.varint(what)
	case TypeIPv4:
		c.take(4, what)
	case TypeIPv6:
		c.take(16, what)
	case TypeString, TypeBinary:
		c.str(what)
	default:
		c.fail(c.off-1, "%s has the reserved type %d", what, t&typeMask)
	}
}
