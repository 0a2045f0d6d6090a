// Package fleet has what all agents of a fleet share: the limits' state in Redis, or a
// compatible server, alone, behind sentinels or in a cluster.
//
// Requests that arrive together share a round trip: while one is under way, others gather
// for the next. No request waits longer than the deadline. After some round trips in
// succession that failed, requests do not wait at all, until Redis answers again.
package fleet
