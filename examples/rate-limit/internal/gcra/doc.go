// Package gcra is the generic cell rate algorithm: it decides on a request from one
// number for each limit and key, the theoretical arrival time (TAT), at which a client
// that never exceeds its rate would send its next request.
//
// A request may come before that time, but by no more than the limit's tolerance, the time
// that the burst is worth. An admitted request moves the TAT of each of its keys forward by
// its cost. A refused request does not move a TAT, so a client that keeps sending still
// gets requests through at its rate.
//
// The TAT is in Redis, where [Script] charges all limits of a request at once, or in a
// [Table] of this process. Both report how far it is ahead of their own clock and never the
// time itself, so clocks of two machines are never compared.
package gcra
