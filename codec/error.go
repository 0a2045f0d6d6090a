package codec

import "fmt"

// Error describes a mistake in bytes from the peer. Read it with errors.As; Status is
// the status of the AGENT-DISCONNECT that answers them (§3.5).
type Error struct {
	// Status is the SPOP status code.
	Status Status
	// Offset is the byte at which decoding stopped, counted from the start of the
	// frame, without its length, or of the payload.
	Offset int
	// Reason names the mistake in a few words.
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("spop: %s at byte %d (status %d: %s)", e.Reason, e.Offset, uint32(e.Status), e.Status)
}
