package router

import (
	"errors"
	"strings"

	"github.com/spoke-go/spoke/spoe"
)

// maxReason is the longest text that ErrorVar sets, in bytes.
const maxReason = 200

// reason is what ErrorVar's variable says of err.
func reason(err error) string {
	var p *spoe.PanicError
	switch {
	case errors.As(err, &p):
		return "panic"
	case errors.Is(err, spoe.ErrTimeout):
		return "timeout"
	case errors.Is(err, spoe.ErrActionsTooBig):
		return "too-big"
	}
	text := "error: " + err.Error()
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	return text
}
