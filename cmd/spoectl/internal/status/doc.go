// Package status explains the numbers that HAProxy's SPOE filter logs (st=) and sets
// (`option set-on-error`), and the statuses of DISCONNECT frames. It says what happened, in
// which versions of HAProxy, and what to do.
package status
