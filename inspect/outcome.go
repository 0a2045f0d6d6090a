package inspect

import (
	"context"
	"errors"

	"github.com/spoke-go/spoke/spoe"
)

// An outcome is the result of handling a message.
type outcome int

const (
	outcomeOK      outcome = iota
	outcomeEmpty           // no error and no variable
	outcomeError           // any other error
	outcomePanic           // the handler panicked
	outcomeTimeout         // it missed its deadline
	outcomeShed            // rejected by middleware.Limit
	outcomes               // their number
)

var outcomeNames = [outcomes]string{"ok", "empty", "error", "panic", "timeout", "shed"}

func (o outcome) String() string { return outcomeNames[o] }

// classify returns the outcome of a message.
func (e *event) classify() outcome {
	switch {
	case e.panicked:
		return outcomePanic
	case e.err == nil && e.acts.Empty():
		return outcomeEmpty
	case e.err == nil:
		return outcomeOK
	}
	var panicked *spoe.PanicError
	var typed interface{ ErrorType() string }
	switch {
	case errors.As(e.err, &panicked):
		return outcomePanic
	case errors.As(e.err, &typed) && typed.ErrorType() == "shed":
		return outcomeShed
	case errors.Is(e.err, context.DeadlineExceeded):
		return outcomeTimeout
	}
	return outcomeError
}
