package codec

import (
	"fmt"
	"strings"
)

// BindError says which argument did not fit the field that it is bound to. It
// is read with errors.As.
type BindError struct {
	Message string // name of the message; empty from Unmarshal
	Arg     string // name of the argument; empty where it is bound by position
	Pos     int    // position that the field has in its tag, or -1
	Field   string // type and field, such as main.IPRep.IP
	GoType  string // type of the field, such as netip.Addr
	// Got is what came: NULL for a required field that nothing came for, Missing
	// that there was no such argument at all.
	Got     Type
	Missing bool
	// Value is what came, shortened, as people read it. It is empty for a
	// secret field.
	Value string
	Want  string // what the field takes, in words
	// Err is what the field's own decoding said, or nil. It is nil for a secret
	// field, as such errors quote what they could not read.
	Err error
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
	default:
		fmt.Fprintf(&s, " came as %s", e.Got)
		if e.Value != "" {
			s.WriteString(" " + e.Value)
		}
	}
	if e.Got == TypeNull {
		fmt.Fprintf(&s, "; field %s (%s) requires it", e.Field, e.GoType)
	} else {
		fmt.Fprintf(&s, "; field %s (%s) wants %s", e.Field, e.GoType, e.Want)
	}
	if e.Err != nil {
		s.WriteString(": " + e.Err.Error())
	}
	return s.String()
}

// maxShown is how much of a value an error shows, in bytes.
const maxShown = 48

// shown returns v for an error: short, quoted, on one line.
func shown(v Value) string {
	switch v.typ {
	case TypeNull:
		return ""
	case TypeString, TypeBinary:
		if v.lo > maxShown {
			return fmt.Sprintf("%.*q… (%d bytes)", maxShown, v.Bytes(), v.lo)
		}
		return fmt.Sprintf("%q", v.Bytes())
	}
	return v.String()
}

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
