package codec

import "reflect"

// FieldInfo describes a struct field that takes an argument.
type FieldInfo struct {
	// Name is the argument's name, with the prefixes of nested structs; empty if the
	// field is bound only by position.
	Name string
	// Pos is the position of an argument without a name, counted from 0 over
	// all arguments of the message, or -1.
	Pos   int
	Field string       // the field from the bound struct on, such as Client.IP
	Type  reflect.Type // the field's Go type, pointer included
	// Group is the innermost struct around the field that is behind a pointer, such as
	// Client, or empty. Without an argument for its fields the pointer is nil, and none
	// of them is required.
	Group string
	// Types are the SPOP types that the field takes, except NULL.
	Types      []Type
	Required   bool
	Strict     bool
	Default    string // valid with HasDefault
	HasDefault bool
	JSON       bool
	// Fetch is the tag `fetch:"…"`: the sample expression in HAProxy's configuration
	// that the argument comes from, such as req.hdr(host); empty without the tag.
	Fetch string
	// Secret reports that telemetry and errors must not show the value.
	Secret bool
}

// VarInfo describes a struct field that sets a variable.
type VarInfo struct {
	Name  string // the variable's name, without scope and prefix of HAProxy
	Scope Scope
	Field string       // the field from the bound struct on, such as Client.IP
	Type  reflect.Type // the field's Go type, pointer included
	// Group is the innermost struct around the field that is behind a pointer, or
	// empty. If the pointer is nil, the variable is not set.
	Group string
	// Types are the SPOP types that the field is sent as, usually one.
	Types     []Type
	OmitEmpty bool
	Unset     bool
	JSON      bool
	// Pattern reports whether Name ends with '*' and stands for one variable for each
	// key of a map: claim_* for claim_sub and claim_email. Max is the maximum number of
	// variables that it sets.
	Pattern bool
	Max     int
	// Secret reports that telemetry and errors must not show the value.
	Secret bool
}

// goType returns the type of the field as the struct declares it.
func (f *boundField) goType() reflect.Type {
	if f.ptr {
		return reflect.PointerTo(f.typ)
	}
	return f.typ
}
