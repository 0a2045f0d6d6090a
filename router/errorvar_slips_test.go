package router_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// nilError is the ordinary slip: a nil pointer in an error.
type nilError struct{ err error }

func (e *nilError) Error() string { return e.err.Error() }
func (e *nilError) Unwrap() error { return e.err }

type panickingError struct{}

func (panickingError) Error() string { panic("no text") }

// TestErrorVarWhateverTheError: HAProxy fails closed by the variable, so a slip
// in the handler's error must not lose it.
func TestErrorVarWhateverTheError(t *testing.T) {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	for name, err := range map[string]error{
		"typed-nil": (*nilError)(nil),
		"panics":    panickingError{},
		"joined":    errors.Join(errors.New("a"), (*nilError)(nil)),
	} {
		r.HandleRaw(name, spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return err }))
	}
	haproxy := spoetest.New(t, r)
	for _, name := range []string{"typed-nil", "panics", "joined"} {
		assert.Contains(t, haproxy.Ask(name).String(), "txn.error=error: spoe: the handler returned an error of type ", name)
	}
}

// TestNoErrorVar: a failure changes nothing if the router has no error variable.
func TestNoErrorVar(t *testing.T) {
	routes := router.New()
	routes.HandleRaw("m", rawHandler)
	for name, r := range map[string]*router.Router{"zero": new(router.Router), "routes": routes} {
		var acts spoe.Actions
		assert.NotPanics(t, func() { r.ServeFailure(errors.New("no"), &acts) }, name)
		assert.Zero(t, acts.Len(), name)
	}
}

// TestErrorVarLength: the variable has 200 bytes at most.
func TestErrorVarLength(t *testing.T) {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	longest := strings.Repeat("e", 200-len("error: "))
	for text, whole := range map[string]bool{longest: true, longest + "e": false} {
		var acts spoe.Actions
		r.ServeFailure(errors.New(text), &acts)
		for act := range acts.All() {
			assert.LessOrEqual(t, len(act.Value.Bytes()), 200)
			assert.Equal(t, whole, act.Value.Str() == "error: "+text)
		}
		assert.Equal(t, 1, acts.Len())
	}
}
