package spoe

import (
	"fmt"
	"iter"
	"math"
	"net/netip"

	"github.com/spoke-go/spoke/codec"
)

// VarScope is the scope of a variable (§3.4).
type VarScope = codec.Scope

// The scopes of §3.4, under the predecessor's names.
const (
	VarScopeProcess     = codec.ScopeProcess     // proc
	VarScopeSession     = codec.ScopeSession     // sess
	VarScopeTransaction = codec.ScopeTransaction // txn
	VarScopeRequest     = codec.ScopeRequest     // req
	VarScopeResponse    = codec.ScopeResponse    // res
)

// Actions collects what goes into the ACK: variables to set and to unset
// (§3.4), in the order of the calls. HAProxy puts the agent's var-prefix in
// front of the names.
//
// Each method checks the name and the scope as HAProxy would, and adds nothing
// when it returns an error. Values are copied. Valid until the handler returns;
// not for concurrent use. The zero Actions is empty and ready.
type Actions struct {
	buf []byte
	n   int // how many, or unknownCount
}

// SetVar sets a variable to a Go value: nil, bool, any integer or float, string,
// []byte, netip.Addr, net.IP or [Value]. A float travels as its shortest decimal
// string; a nil is a NULL, on which HAProxy unsets the variable.
func (a *Actions) SetVar(scope VarScope, name string, value any) error {
	v, err := codec.ValueOf(value)
	if err != nil {
		return fmt.Errorf("variable %q: %w", name, err)
	}
	return a.SetValue(scope, name, v)
}

// SetValue sets a variable to a typed value.
func (a *Actions) SetValue(scope VarScope, name string, v Value) error {
	if err := codec.CheckVarName(scope, name); err != nil {
		return err
	}
	a.buf = codec.AppendSetVar(a.buf, scope, name, v)
	a.added()
	return nil
}

// SetInt sets a variable to an INT64.
func (a *Actions) SetInt(scope VarScope, name string, v int64) error {
	return a.SetValue(scope, name, codec.Int64(v))
}

// SetUint sets a variable to a UINT64; HAProxy reads one above 2^63-1 as
// negative.
func (a *Actions) SetUint(scope VarScope, name string, v uint64) error {
	return a.SetValue(scope, name, codec.Uint64(v))
}

// SetBool sets a variable to a BOOL.
func (a *Actions) SetBool(scope VarScope, name string, v bool) error {
	return a.SetValue(scope, name, codec.Bool(v))
}

// SetFloat sets a variable to the shortest decimal STRING of v. An infinity or a NaN
// has none, and is an error.
func (a *Actions) SetFloat(scope VarScope, name string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("variable %q: %v has no decimal form; set another value or none", name, v)
	}
	return a.SetValue(scope, name, codec.Float(v))
}

// SetString sets a variable to a STRING.
func (a *Actions) SetString(scope VarScope, name, v string) error {
	return a.SetValue(scope, name, codec.String(v))
}

// SetBytes sets a variable to a BINARY.
func (a *Actions) SetBytes(scope VarScope, name string, v []byte) error {
	return a.SetValue(scope, name, codec.Binary(v))
}

// SetAddr sets a variable to an IPV4 or IPV6.
func (a *Actions) SetAddr(scope VarScope, name string, v netip.Addr) error {
	return a.SetValue(scope, name, codec.Addr(v))
}

// UnsetVar unsets a variable.
func (a *Actions) UnsetVar(scope VarScope, name string) error {
	if err := codec.CheckVarName(scope, name); err != nil {
		return err
	}
	a.buf = codec.AppendUnsetVar(a.buf, scope, name)
	a.added()
	return nil
}

// SetResult adds what enc makes of the struct that src points to.
func (a *Actions) SetResult(enc *codec.Encoder, src any) error {
	buf, err := enc.Append(a.buf, src)
	if err != nil {
		return err
	}
	a.buf = buf
	a.n = unknownCount
	return nil
}

// added counts one more action.
func (a *Actions) added() {
	if a.n != unknownCount {
		a.n++
	}
}

// unknownCount as a.n: SetResult added actions without counting them.
const unknownCount = -1

// Len returns how many actions this message has so far.
func (a *Actions) Len() int {
	if a.n == unknownCount {
		a.n = 0
		for range a.All() {
			a.n++
		}
	}
	return a.n
}

// Empty reports whether this message has no action so far. It is cheaper than Len.
func (a *Actions) Empty() bool { return len(a.buf) == 0 }

// All returns this message's actions so far. The values borrow from a: they
// are valid until it changes.
func (a *Actions) All() iter.Seq[codec.Action] {
	return func(yield func(codec.Action) bool) {
		acts, _ := codec.ParseActions(a.buf) // written by this type, so well-formed
		for _, act := range acts {
			if !yield(act) {
				return
			}
		}
	}
}

// Reset drops this message's actions so far.
func (a *Actions) Reset() { a.truncate(0) }

// truncate drops what lies behind size.
func (a *Actions) truncate(size int) {
	a.buf = a.buf[:size]
	a.n = unknownCount
	if size == 0 {
		a.n = 0
	}
}
