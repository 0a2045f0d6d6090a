// Package status says what the numbers mean that HAProxy's SPOE filter logs
// (st=) and sets (`option set-on-error`), and those that DISCONNECT frames carry:
// what happened, in which versions of HAProxy, and what to do.
package status
