// Package codec turns SPOP bytes into values and back: varints, typed values,
// arguments, messages, actions, frames, the hello and disconnect payloads, and
// Go structs bound to arguments and variables (SPOE.txt §3.1 to §3.5).
//
// It has no connection, no goroutine and no lock, and needs the standard
// library alone. Functions named Append… append to a slice and return it;
// what reads takes a slice and checks it as it goes: bytes from the other side
// lead to an *Error with the status code to answer them, never to a panic, and
// nothing is allocated from a count or a length that they claim.
//
// # Ownership
//
// What is decoded borrows from the slice it was decoded from, and is valid
// until that slice is used again (in an agent: until the handler returns);
// a string, and whatever a struct was bound to, is a copy and safe to keep, and
// Value.Clone makes one of a Value.
package codec
