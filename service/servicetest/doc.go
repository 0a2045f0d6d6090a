// Package servicetest runs agents of package service in tests, like their process:
//
//	a := servicetest.Start(t, agent(), "-score", "10")
//	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
//
// Everything that it starts ends with the test. Its waits are bounded, and fail the test.
package servicetest

import "time"

// Patience bounds every wait; only a failure reaches it.
const Patience = time.Minute
