package auth

import "errors"

// Reasons why a request has no user. The packages return them unwrapped, without
// details that a visitor chose, so that metrics can use them as an attribute.
var (
	ErrBadToken    = errors.New("bad token")
	ErrBadPassword = errors.New("bad credentials") // or no such user
	// ErrTooFast means that a visitor or a user must wait after wrong passwords. The
	// password was not tried.
	ErrTooFast = errors.New("too many wrong passwords")
	// ErrUnavailable means that the provider or the directory cannot be asked now. The
	// credentials may be good: answer 503.
	ErrUnavailable = errors.New("no answer")
)
