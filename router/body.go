package router

import "github.com/spoke-go/spoke/codec"

// BodyState says whether an agent has a whole body.
type BodyState int

// The states of a body.
const (
	BodyUnknown BodyState = iota // unknown: HAProxy cannot report it
	BodyWhole                    // the whole body, which may be empty
	BodyCut                      // the beginning: the rest did not fit into HAProxy's buffer, or had not arrived
)

// String returns unknown, whole or cut.
func (s BodyState) String() string {
	switch s {
	case BodyWhole:
		return "whole"
	case BodyCut:
		return "cut"
	}
	return "unknown"
}

// BodyBytes are a body's bytes in the message, not a copy. They are valid until the
// handler returns; clone them to keep them.
type BodyBytes []byte

// UnmarshalSPOE implements [codec.Unmarshaler].
func (b *BodyBytes) UnmarshalSPOE(v codec.Value) error {
	*b = v.Bytes()
	return nil
}

// RequestBody is the body of a request, a field of a handler's struct:
//
//	type Request struct {
//		Path string `spoe:"path" fetch:"path"`
//		Body router.RequestBody
//	}
//
// HAProxy sends the part of the body that fits into a buffer after the request's head,
// see [Route.Buffer]. Package haproxy writes the line that makes HAProxy wait for it. A
// struct can have only one body: use different messages for a RequestBody and a
// [ResponseBody].
type RequestBody struct {
	Bytes BodyBytes `spoe:"body" fetch:"req.body"`
	// Length is the Content-Length, or nil if the request has none.
	Length *int64 `spoe:"body_length" fetch:"req.hdr_val(content-length)"`
	// Ended reports whether HAProxy received the end of the request. HAProxy's manual
	// lists the sample for debugging. Tests check it with 2.6, 3.0 and 3.2; State is
	// BodyUnknown in a version without the sample.
	Ended *bool `spoe:"body_ended" fetch:"internal.htx.has_eom"`
}

// State reports how much of the body Bytes has. A body without Content-Length, which
// is chunked or came over HTTP/2, is whole if it ended.
func (b *RequestBody) State() BodyState {
	switch {
	case b.Length != nil: // even if the request ended early
		return byLength(b.Bytes, *b.Length)
	case b.Ended == nil:
		return BodyUnknown
	case *b.Ended:
		return BodyWhole
	}
	return BodyCut
}

// ResponseBody is the body of a response, as [RequestBody] is the body of a request. A
// message that has it must be in a group: HAProxy sends other messages before the body
// arrives.
type ResponseBody struct {
	Bytes  BodyBytes `spoe:"body" fetch:"res.body"`
	Length *int64    `spoe:"body_length" fetch:"res.hdr_val(content-length)"`
	Ended  *bool     `spoe:"body_ended" fetch:"internal.htx.has_eom"`
}

// State reports how much of the body Bytes has. The response to a HEAD has a
// Content-Length and no body, and is whole. A body that has not ended and has no
// Content-Length is unknown: if its end is the end of the connection, HAProxy cannot
// know whether it is whole.
func (b *ResponseBody) State() BodyState {
	switch {
	case b.Ended != nil && *b.Ended:
		return BodyWhole
	case b.Length == nil:
		return BodyUnknown
	}
	return byLength(b.Bytes, *b.Length)
}

func byLength(b BodyBytes, length int64) BodyState {
	if int64(len(b)) < length {
		return BodyCut
	}
	return BodyWhole
}
