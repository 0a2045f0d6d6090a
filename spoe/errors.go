package spoe

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrAgentClosed is returned by Run, Serve and ListenAndServe after Shutdown or
// Close.
var ErrAgentClosed = errors.New("spoe: agent closed")

// ErrTimeout is the error of a message whose handler missed its deadline. It is
// also a context.DeadlineExceeded to errors.Is.
var ErrTimeout error = &deadlineError{}

type deadlineError struct {
	after time.Duration
	err   error // the error that the handler returned in the end
}

func (e *deadlineError) Error() string {
	if e.after == 0 {
		return "spoe: handler missed its deadline"
	}
	if e.err != nil && !errors.Is(e.err, context.DeadlineExceeded) {
		return fmt.Sprintf("spoe: handler missed its deadline of %v: %v", e.after, e.err)
	}
	return fmt.Sprintf("spoe: handler missed its deadline of %v", e.after)
}

func (e *deadlineError) Is(target error) bool {
	return target == ErrTimeout || target == context.DeadlineExceeded
}

func (e *deadlineError) Unwrap() error { return e.err }

// Timeout makes it a net.Error's kind of timeout.
func (e *deadlineError) Timeout() bool { return true }

func timeoutError(after time.Duration, err error) error {
	return &deadlineError{after: after, err: err}
}

// ErrActionsTooBig is the error of a message whose actions would make the ACK longer than
// the agreed frame size. They are dropped whole: with HAProxy 3.1 and later the request
// would wait for such an ACK until its timeout.
var ErrActionsTooBig = errors.New("spoe: the actions do not fit into the agreed frame size; set fewer or shorter variables, or raise HAProxy's tune.bufsize")

// PanicError is the error of a message whose handler panicked.
type PanicError struct {
	// Value is panic's argument; nil for a runtime.Goexit.
	Value any
	// Stack is the goroutine's stack at that time, as debug.Stack formats it.
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Value == nil {
		return "spoe: handler ended its goroutine (runtime.Goexit)"
	}
	return fmt.Sprintf("spoe: handler panicked: %v", e.Value)
}

// Unwrap returns the value of the panic if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
