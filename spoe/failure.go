package spoe

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/spoke-go/spoke/internal/safetext"
)

// failureHooks collects what OnFailure of a Clone or Fork was given.
type failureHooks struct {
	mu    sync.Mutex // guards hooks
	hooks []func(error, *Actions)
}

func (h *failureHooks) add(f func(error, *Actions)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hooks = append(h.hooks, f)
}

// snapshot returns a function that calls the hooks in their order, or nil if
// there are none.
func (h *failureHooks) snapshot() func(error, *Actions) {
	h.mu.Lock()
	hooks := slices.Clone(h.hooks)
	h.mu.Unlock()
	if len(hooks) == 0 {
		return nil
	}
	return func(err error, acts *Actions) {
		for _, f := range hooks {
			f(err, acts)
		}
	}
}

// readableError returns err or, if one of its methods panics, an error that says
// so. A handler that returns a nil pointer as an error is the usual case. Hooks
// and loggers can then ask the result for its text, and errors.Is and errors.As
// can walk it.
func readableError(err error) (readable error) {
	var p *PanicError
	defer func() {
		v := recover()
		switch {
		case v == nil:
		case p != nil: // the handler panicked with such an error
			readable = &PanicError{Value: safetext.Error(err, 200), Stack: p.Stack}
		default:
			readable = fmt.Errorf("spoe: the handler returned an error of type %T whose methods panic: %s; return a plain nil for no error",
				err, safetext.Clip(fmt.Sprint(v), 200))
		}
	}()
	_ = err.Error()
	_, p = classify(err)
	var none *noError
	errors.Is(err, none) // walks all of err
	errors.As(err, &none)
	return err
}

// errExits is the failure of a handler whose error ends the goroutine that asks it.
var errExits = errors.New("spoe: the handler returned an error whose methods end the goroutine; return one with a text")

// noError is a type that no other error has.
type noError struct{}

func (*noError) Error() string { return "" }

// callHooks calls the functions that OnFailure was given, in their order, and adds their
// actions to acts. A function that panics, ends its goroutine or sets more than fits loses
// its own actions and no other's.
func (j *job) callHooks(hooks []func(error, *Actions), err error, acts *Actions) {
	for _, f := range hooks {
		j.callHook(f, err, acts)
	}
}

func (j *job) callHook(f func(error, *Actions), err error, acts *Actions) {
	var own Actions
	defer func() {
		if v := recover(); v != nil {
			j.c.shared.counters.panics.Add(1)
			j.c.logSome(&j.c.shared.failureLog, slog.LevelError, "a function given to OnFailure panicked",
				slog.Any("panic", v), slog.Any("stack", stack(debug.Stack())))
		}
	}()
	f(err, &own)
	if j.fits(append(acts.buf, own.buf...)) {
		acts.buf = append(acts.buf, own.buf...)
		acts.n = unknownCount
	}
}
