package codec

import "fmt"

// CutFrame cuts the first frame off b, the bytes of a connection. frame is without its
// length, for [ParseFrame], and rest is the bytes after it; both borrow from b. whole is
// false if more bytes must come first. A frame longer than longest is an *Error with
// StatusTooBig, and one shorter than MinFrameLength an *Error with StatusInvalid.
func CutFrame(b []byte, longest uint32) (frame, rest []byte, whole bool, err error) {
	if len(b) < LengthSize {
		return nil, b, false, nil
	}
	c := cursor{b: b}
	switch n := c.uint32("frame length"); {
	case n > longest:
		return nil, b, false, &Error{Status: StatusTooBig, Reason: fmt.Sprintf("frame of %d bytes, at most %d may come", n, longest)}
	case n < MinFrameLength:
		return nil, b, false, &Error{Status: StatusInvalid, Reason: fmt.Sprintf("frame of %d bytes, the shortest has %d", n, MinFrameLength)}
	case uint64(n) > uint64(len(b)-LengthSize):
		return nil, b, false, nil
	default:
		frame = c.take(uint64(n), "frame")
		return frame, c.rest(), true, nil
	}
}
