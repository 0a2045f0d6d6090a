package codec

// The action types of §3.4 and their numbers of arguments.
const (
	actionSetVar   = 1
	actionUnsetVar = 2
	nargsSetVar    = 3
	nargsUnsetVar  = 2
)

// Action is one action of an ACK (§3.4): set-var or, with Unset, unset-var.
type Action struct {
	Unset bool
	Scope Scope
	Name  string
	// Value is NULL for an unset-var.
	Value Value
}

// AppendSetVar appends a set-var. It does not check the name; CheckVarName
// does.
func AppendSetVar(b []byte, scope Scope, name string, v Value) []byte {
	b = append(b, actionSetVar, nargsSetVar, byte(scope))
	return AppendValue(AppendString(b, name), v)
}

// AppendUnsetVar appends an unset-var. It does not check the name;
// CheckVarName does.
func AppendUnsetVar(b []byte, scope Scope, name string) []byte {
	b = append(b, actionUnsetVar, nargsUnsetVar, byte(scope))
	return AppendString(b, name)
}

// ParseActions reads an ACK's payload as HAProxy does. The values borrow from
// it.
func ParseActions(payload []byte) ([]Action, error) {
	var acts []Action
	c := cursor{b: payload}
	for c.more() {
		at := c.off
		typ, nargs := c.byte("action type"), c.byte("number of arguments")
		a := Action{Scope: Scope(c.byte("variable scope")), Name: string(c.str("variable name"))}
		switch {
		case c.failed():
		case typ == actionSetVar && nargs == nargsSetVar:
			a.Value = c.value("variable value")
		case typ == actionUnsetVar && nargs == nargsUnsetVar:
			a.Unset = true
		default:
			c.fail(at, "action of type %d with %d arguments", typ, nargs)
		}
		if a.Scope > ScopeResponse {
			c.fail(at, "action with scope %d", a.Scope)
		}
		if c.failed() {
			return acts, c.error()
		}
		acts = append(acts, a)
	}
	return acts, nil
}
