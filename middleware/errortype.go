package middleware

import (
	"context"
	"errors"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// errPanicked stands for a panic that passes through a middleware.
var errPanicked = errors.New("middleware: the handler panicked")

// errorType is the error.type of the conventions, a name of few values: panic,
// timeout, canceled (HAProxy or the agent has gone), shed (by [Limit]),
// argument (that the handler's struct could not take) or, for the handler's own
// errors, what their method ErrorType says, else their Go type.
func errorType(err error) string {
	var p *spoe.PanicError
	var b *codec.BindError
	switch {
	case errors.Is(err, errPanicked), errors.As(err, &p):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, ErrShed):
		return "shed"
	case errors.As(err, &b):
		return "argument"
	}
	return semconv.ErrorType(err).Value.AsString()
}
