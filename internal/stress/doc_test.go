// Package stress_test runs random schedules against an agent and holds each ACK
// against its own NOTIFY.
//
// A round has an agent of its own, with all middlewares in a random order, and
// clients that send NOTIFYs, whole and in fragments, leave by DISCONNECT, close or
// reset, and come back. In some rounds the agent is shut down, or closed, in the
// middle of that. Clients follow a model: the kind of a message says what its
// ACK holds, whatever else happens at the time.
package stress_test
