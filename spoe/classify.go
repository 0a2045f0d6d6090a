package spoe

import "errors"

// count counts and logs a failed message.
func (j *job) count(err error) {
	ctr := &j.c.shared.counters
	kind, p := classify(err)
	switch kind {
	case failedPanic:
		ctr.panics.Add(1)
	case failedTimeout:
		ctr.timeouts.Add(1)
	case failedTooBig:
		ctr.droppedActions.Add(1)
	default:
		ctr.errors.Add(1)
	}
	j.logFailure(err, p)
}

// failure is a kind of failure that is counted apart.
type failure int

const (
	failedError failure = iota
	failedPanic
	failedTimeout
	failedTooBig
)

// classify returns the kind of err, and the panic if it was one.
func classify(err error) (failure, *PanicError) {
	var p *PanicError
	switch {
	case errors.As(err, &p):
		return failedPanic, p
	case errors.Is(err, ErrTimeout):
		return failedTimeout, nil
	case errors.Is(err, ErrActionsTooBig):
		return failedTooBig, nil
	}
	return failedError, nil
}
