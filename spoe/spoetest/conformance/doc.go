// Package conformance is the wire contract of an SPOE agent as a suite of cases
// that any agent can be held to, in whatever language it is written. [Conform]
// runs it from a Go test, [Run] from a program such as spoectl conform.
package conformance
