package codec

import (
	"bytes"
	"fmt"
	"strings"
)

// BindError describes an argument that its field cannot read. Read it with errors.As,
// or from a field of type [Problems].
//
// Its text has names, types, positions and lengths, but not the value, which may
// contain a password: the text reaches logs and variables.
type BindError struct {
	Message string // name of the message; empty from Unmarshal
	Arg     string // name of the argument; empty if the field is bound by position
	Pos     int    // position that the field has in its tag, or -1
	Field   string // type and field, such as main.IPRep.IP
	GoType  string // type of the field, such as netip.Addr
	// Got is the type of the argument, or NULL for a required field without an
	// argument. Missing reports that the message has no such argument at all.
	Got     Type
	Missing bool
	Len     int    // length of a STRING or BINARY, in bytes
	Want    string // the values that the field takes, in words
	// Detail describes the mistake and its place, such as "a header without a colon at
	// byte 12"; it may be empty.
	Detail string
	// Err is the error of the field's own UnmarshalSPOE, UnmarshalText or JSON, or
	// nil. It may quote the value, so Error leaves its text out. It is nil for a
	// secret field.
	Err error

	value Value
}

func (e *BindError) Unwrap() error { return e.Err }

func (e *BindError) Error() string {
	var s strings.Builder
	if e.Message != "" {
		fmt.Fprintf(&s, "message %q: ", e.Message)
	}
	if e.Arg != "" {
		fmt.Fprintf(&s, "argument %q", e.Arg)
	} else {
		fmt.Fprintf(&s, "argument %d without a name", e.Pos)
	}
	switch {
	case e.Missing:
		s.WriteString(" is missing")
	case e.Got == TypeString, e.Got == TypeBinary:
		fmt.Fprintf(&s, " is a %s of %d bytes", e.Got, e.Len)
	default:
		fmt.Fprintf(&s, " is %s", e.Got)
	}
	if e.Got == TypeNull {
		fmt.Fprintf(&s, "; field %s (%s) requires it", e.Field, e.GoType)
	} else {
		fmt.Fprintf(&s, "; field %s (%s) wants %s", e.Field, e.GoType, e.Want)
	}
	if e.Detail != "" {
		s.WriteString(": " + e.Detail)
	}
	return s.String()
}

// Value returns the value for people, quoted and cut after 48 bytes. It is empty for a
// secret field and for a missing argument. Do not write it to a place that must not
// have secrets.
func (e *BindError) Value() string {
	switch {
	case e.value.IsNull():
		return ""
	case !e.value.isText():
		return e.value.String()
	case e.Len > maxShown:
		return fmt.Sprintf("%q… (%d bytes)", e.value.Bytes(), e.Len)
	}
	return fmt.Sprintf("%q", e.value.Bytes())
}

// maxShown is the maximum number of bytes of a value that an error keeps.
const maxShown = 48

// clip returns v with a copy of at most limit of its bytes.
func (v Value) clip(limit int) Value {
	if !v.isText() {
		return v
	}
	b := v.Bytes()
	return bytesValue(v.typ, bytes.Clone(b[:min(len(b), limit)]))
}

// detail is an error whose text does not quote the value.
type detail string

func (d detail) Error() string { return string(d) }

// partError is the error of a field that read a part of the value.
type partError struct{ error }

func (e partError) Unwrap() error { return e.error }

// typeList returns types as people write them: A, B or C.
func typeList(types []Type) string {
	var s strings.Builder
	for i, t := range types {
		switch {
		case i > 0 && i == len(types)-1:
			s.WriteString(" or ")
		case i > 0:
			s.WriteString(", ")
		}
		s.WriteString(t.String())
	}
	return s.String()
}
