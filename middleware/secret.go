package middleware

import (
	"github.com/spoke-go/spoke/codec"
)

// redacted is what telemetry shows of a secret value.
const redacted = "REDACTED"

// secrets tells which values telemetry must not show: those of fields tagged
// secret, and of the names a configuration adds.
type secrets map[string]bool

func newSecrets(names []string) secrets {
	s := make(secrets, len(names))
	for _, name := range names {
		s[name] = true
	}
	return s
}

func (s secrets) arg(name string) bool { return s[name] || codec.SecretArg(name) }

func (s secrets) variable(scope codec.Scope, name string) bool {
	return s[name] || codec.SecretVar(scope, name)
}
