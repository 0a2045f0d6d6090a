package spoetest

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Vars are the variables that an agent's answer leaves in HAProxy. They are
// called as in HAProxy's configuration, without the prefix: "sess.ip_score".
// Vars is read only and may be used concurrently.
type Vars struct {
	actions []codec.Action
}

// Actions returns the actions in the order in which the agent sent them.
func (v Vars) Actions() []codec.Action { return v.actions }

// Get returns the value last set to a variable, and whether it is set.
func (v Vars) Get(name string) (codec.Value, bool) {
	a, ok := v.last(name)
	return a.Value, ok && !a.Unset
}

// Has reports whether a variable is set.
func (v Vars) Has(name string) bool {
	_, ok := v.Get(name)
	return ok
}

// Unset reports whether a variable is unset by name, which is not the same as
// never having been set: its value from before is gone.
func (v Vars) Unset(name string) bool {
	a, ok := v.last(name)
	return ok && a.Unset
}

func (v Vars) last(name string) (codec.Action, bool) {
	for i := len(v.actions) - 1; i >= 0; i-- {
		if v.actions[i].Scope.String()+"."+v.actions[i].Name == name {
			return v.actions[i], true
		}
	}
	return codec.Action{}, false
}

// Int returns an integer of any type, 0 if the variable is none.
func (v Vars) Int(name string) int64 {
	val, _ := v.Get(name)
	n, _ := val.Int()
	return n
}

// Bool returns a BOOL, false if the variable is none.
func (v Vars) Bool(name string) bool {
	val, _ := v.Get(name)
	b, _ := val.Bool()
	return b
}

// Str returns a STRING or BINARY, "" if the variable is none.
func (v Vars) Str(name string) string {
	val, _ := v.Get(name)
	return val.Str()
}

// Addr returns an address, the zero netip.Addr if the variable is none.
func (v Vars) Addr(name string) netip.Addr {
	val, _ := v.Get(name)
	a, _ := val.Addr()
	return a
}

// Map returns the variables that are set, as Go values of the types that
// codec.Value.Any gives: int for signed integers, net.IP, string, []byte, bool.
func (v Vars) Map() map[string]any {
	m := map[string]any{}
	for _, a := range v.actions {
		name := a.Scope.String() + "." + a.Name
		if a.Unset {
			delete(m, name)
			continue
		}
		m[name] = a.Value.Any()
	}
	return m
}

// String returns the actions for people, "sess.ip_score=90 unset(txn.list)".
func (v Vars) String() string {
	var b strings.Builder
	for i, a := range v.actions {
		if i > 0 {
			b.WriteByte(' ')
		}
		if a.Unset {
			fmt.Fprintf(&b, "unset(%v.%s)", a.Scope, a.Name)
			continue
		}
		fmt.Fprintf(&b, "%v.%s=%v", a.Scope, a.Name, a.Value)
	}
	return b.String()
}
