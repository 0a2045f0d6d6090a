package router

import (
	"errors"
	"strconv"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/spoe"
)

// ErrorVar names a variable that the router sets to the reason if a message fails, so
// that HAProxy can fail closed: "timeout" if the handler missed its deadline, "panic",
// "too-big" if its actions did not fit into the ACK, and "error: …" with the text of
// the error that it returned. The text is printable and has 200 bytes at most, so it
// can go into a log line or a header. The ACK has the variable even if the handler
// still runs.
//
// It panics if HAProxy would refuse the name, or at a second call.
func (r *Router) ErrorVar(scope spoe.VarScope, name string) {
	t := r.registered()
	call := "ErrorVar(" + scope.String() + ", " + strconv.Quote(name) + ")"
	if err := codec.CheckVarName(scope, name); err != nil {
		refuse(call, "%v", err)
	}
	if t.onFailure != nil {
		refuse(call, "the router has an error variable already, from %s: keep one of them", t.onFailureAt)
	}
	t.onFailureAt, t.failure = callSite(), Var{scope, name}
	t.onFailure = func(err error, acts *spoe.Actions) {
		// It cannot fail: ErrorVar checked the name.
		_ = acts.SetString(scope, name, reason(err))
	}
}

var _ spoe.FailureHandler = (*Router)(nil)

// ServeFailure sets the variable of ErrorVar, if there is one. It makes the router a
// [spoe.FailureHandler].
func (r *Router) ServeFailure(err error, acts *spoe.Actions) {
	if t := r.table; t != nil && t.onFailure != nil {
		t.onFailure(err, acts)
	}
}

const (
	// maxReason is the longest text that ErrorVar sets, in bytes.
	maxReason   = 200
	errorPrefix = "error: "
)

// reason returns the value of ErrorVar's variable for err.
func reason(err error) string {
	var p *spoe.PanicError
	switch {
	case errors.As(err, &p):
		return "panic"
	case errors.Is(err, spoe.ErrTimeout):
		return "timeout"
	case errors.Is(err, spoe.ErrActionsTooBig):
		return "too-big"
	}
	return errorPrefix + safetext.Error(err, maxReason-len(errorPrefix))
}
