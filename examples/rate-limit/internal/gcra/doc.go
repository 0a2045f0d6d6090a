// Package gcra is the generic cell rate algorithm: it decides on a request from one
// number for each limit and key, the theoretical arrival time (TAT), at which a client
// that never exceeds its rate would send its next request.
//
// A request may come before that time, but by no more than the limit's tolerance, which
// is what the burst is worth in time. A request that is let through moves the TAT of each
// of its keys on by what it costs; a refused one moves none, so that a client that goes on
// sending is let through at its rate all the same.
//
// The TAT is kept in Redis, where [Script] charges all limits of a request at once, or in
// a [Table] of this process. Both report how far it is ahead of their own clock and never
// the time itself: clocks of two machines are not compared.
package gcra
