package middleware

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/spoe"
)

// errPanicked stands for a panic that passes through a middleware.
var errPanicked = errors.New("middleware: the handler panicked")

// otherError is the error.type of an error without a kind.
const otherError = "error"

// maxErrorType bounds error.type, in bytes.
const maxErrorType = 128

// errorType returns the error.type of the conventions, a name with few values that do
// not change from release to release: panic, timeout, canceled (HAProxy closed the
// connection, or the agent ended), shed (by [Limit]), argument (which the handler's
// struct could not take). For the handler's own errors it is the result of their method
// ErrorType, or else the Go type of the first error that has its own: the types of
// package errors and fmt have only a text, and count as "error".
func errorType(err error) (kind string) {
	defer func() {
		if recover() != nil { // a method of the error panicked
			kind = otherError
		}
	}()
	var p *spoe.PanicError
	var b *codec.BindError
	var own interface{ ErrorType() string }
	switch {
	case errors.Is(err, errPanicked), errors.As(err, &p):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, ErrShed):
		return "shed"
	case errors.As(err, &b):
		return "argument"
	case errors.As(err, &own):
		if kind := own.ErrorType(); kind != "" {
			return safetext.Clip(kind, maxErrorType)
		}
	}
	if kind := goType(err); kind != "" {
		return safetext.Clip(kind, maxErrorType)
	}
	return otherError
}

// goType returns the type of the first error in err's tree that is not one of the
// standard library's wrappers and plain texts, or "".
func goType(err error) string {
	switch kind := fmt.Sprintf("%T", err); kind {
	case "*errors.errorString", "*errors.joinError", "*fmt.wrapError", "*fmt.wrapErrors", "*fmt.fmtError":
	default:
		return kind
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			return goType(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range u.Unwrap() {
			if kind := goType(inner); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// panicOf returns the panic that err is or wraps, or nil.
func panicOf(err error) (p *spoe.PanicError) {
	defer func() { _ = recover() }() // a method of the error may panic
	errors.As(err, &p)
	return p
}
