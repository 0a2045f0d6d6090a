package codec

import "strconv"

// Status is the code that a DISCONNECT frame carries (§3.5). HAProxy logs an
// agent's code as st=256+code.
type Status uint32

// The status codes of §3.5. An agent may use others of its own.
const (
	StatusNormal          Status = 0  // normal (no error occurred)
	StatusIO              Status = 1  // I/O error
	StatusTimeout         Status = 2  // a timeout occurred
	StatusTooBig          Status = 3  // frame is too big
	StatusInvalid         Status = 4  // invalid frame received
	StatusNoVersion       Status = 5  // version value not found
	StatusNoMaxFrameSize  Status = 6  // max-frame-size value not found
	StatusNoCapabilities  Status = 7  // capabilities value not found
	StatusBadVersion      Status = 8  // unsupported version
	StatusBadFrameSize    Status = 9  // max-frame-size too big or too small
	StatusNoFragmentation Status = 10 // payload fragmentation is not supported
	StatusInterlaced      Status = 11 // invalid interlaced frames
	StatusNoFrameID       Status = 12 // frame-id not found
	StatusNoResource      Status = 13 // resource allocation error
	StatusUnknown         Status = 99 // an unknown error occurred
)

var statusText = map[Status]string{
	StatusNormal:          "normal",
	StatusIO:              "I/O error",
	StatusTimeout:         "a timeout occurred",
	StatusTooBig:          "frame is too big",
	StatusInvalid:         "invalid frame received",
	StatusNoVersion:       "version value not found",
	StatusNoMaxFrameSize:  "max-frame-size value not found",
	StatusNoCapabilities:  "capabilities value not found",
	StatusBadVersion:      "unsupported version",
	StatusBadFrameSize:    "max-frame-size too big or too small",
	StatusNoFragmentation: "payload fragmentation is not supported",
	StatusInterlaced:      "invalid interlaced frames",
	StatusNoFrameID:       "frame-id not found",
	StatusNoResource:      "resource allocation error",
	StatusUnknown:         "an unknown error occurred",
}

// String returns the text that §3.5 has for s.
func (s Status) String() string {
	if text, ok := statusText[s]; ok {
		return text
	}
	return "status " + strconv.FormatUint(uint64(s), 10)
}
