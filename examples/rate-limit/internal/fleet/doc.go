// Package fleet has the state that all agents of a fleet share: the limits in Redis, or in
// a compatible server, as one server, behind sentinels, or in a cluster.
//
// Requests that arrive together share a round trip: during one, others gather for the next.
// No request waits longer than the deadline. After some failed round trips in succession,
// requests do not wait at all, until Redis answers again.
package fleet
