package codec

import "strconv"

// Scope is the place and the life of a variable (§3.4).
type Scope uint8

// The scopes of §3.4.
const (
	ScopeProcess     Scope = 0 // proc: the whole HAProxy process
	ScopeSession     Scope = 1 // sess: the client's connection, all its requests
	ScopeTransaction Scope = 2 // txn: one request and its response
	ScopeRequest     Scope = 3 // req: until HAProxy sends the request to the server
	ScopeResponse    Scope = 4 // res: while the response is processed
)

var scopeNames = [...]string{
	ScopeProcess:     "proc",
	ScopeSession:     "sess",
	ScopeTransaction: "txn",
	ScopeRequest:     "req",
	ScopeResponse:    "res",
}

// String returns the scope as HAProxy's configuration writes it: proc, sess,
// txn, req or res.
func (s Scope) String() string {
	if int(s) < len(scopeNames) {
		return scopeNames[s]
	}
	return "scope(" + strconv.Itoa(int(s)) + ")"
}

// ParseScope is the inverse of [Scope.String].
func ParseScope(name string) (Scope, bool) {
	for s, n := range scopeNames {
		if n == name {
			return Scope(s), true
		}
	}
	return 0, false
}
