package middleware

import (
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/secret"
)

// redacted stands for a secret value in telemetry.
const redacted = "REDACTED"

// secrets holds the names, from a configuration, of arguments and variables whose values
// telemetry must not show. Fields tagged secret are hidden, too.
type secrets map[string]bool

func newSecrets(names []string) secrets {
	s := make(secrets, len(names))
	for _, name := range names {
		s[name] = true
	}
	return s
}

func (s secrets) arg(name string) bool { return s[name] || secret.Arg(name) }

func (s secrets) variable(scope codec.Scope, name string) bool {
	return s[name] || secret.Var(scope, name)
}
