package middleware

import (
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// variable is a variable that a configuration names.
type variable struct {
	scope spoe.VarScope
	name  string
}

// parseVariable reads "txn.name", as in HAProxy's configuration, without the
// var-prefix.
func parseVariable(text string) (variable, error) {
	scopeName, name, _ := strings.Cut(text, ".")
	scope, ok := codec.ParseScope(scopeName)
	if !ok {
		return variable{}, fmt.Errorf("the variable %q has no scope: write txn.%s, or sess, req, res or proc", text, text)
	}
	return variable{scope, name}, codec.CheckVarName(scope, name)
}
