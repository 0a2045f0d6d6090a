package codec

import "fmt"

// MaxVarName is the longest full name of a variable that HAProxy takes, in bytes: its
// scope, a dot, the prefix from the configuration with its dot, and the name.
const MaxVarName = 63

// CheckVarName returns an error if HAProxy would refuse to set a variable of that name in
// that scope. HAProxy silently drops such an action and, if it cannot parse it, all actions
// after it, so do not send a name that CheckVarName refuses. An agent does not know the
// prefix (`option var-prefix`, by default the engine's name): leave space for it.
func CheckVarName(scope Scope, name string) error {
	if scope > ScopeResponse {
		return fmt.Errorf("variable %q: %s is no scope of HAProxy; use proc, sess, txn, req or res", name, scope)
	}
	if name == "" {
		return fmt.Errorf("variable without a name: HAProxy would drop it and all actions behind it; give it one")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.':
		default:
			return fmt.Errorf("variable %q: HAProxy refuses the character %q; use letters, digits, '.' and '_'", name, c)
		}
	}
	if n := len(scopeNames[scope]) + 1 + len(name); n > MaxVarName {
		return fmt.Errorf("variable %q: %d bytes with its scope %q, HAProxy takes %d at most (the prefix included); shorten it", name, n, scope, MaxVarName)
	}
	return nil
}
