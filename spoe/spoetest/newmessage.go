package spoetest

import (
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/bridge"
	"github.com/spoke-go/spoke/spoe"
)

// NewMessage returns a message as an agent gives it to a handler, for a test that calls
// the handler itself. It fails for a value that SPOP has no type for and for more than
// 255 arguments. No agent has received it:
// Message.Report calls its function at once.
func NewMessage(name string, args ...Argument) (*spoe.Message, error) {
	payload, err := Payload(Msg(name, args...))
	if err != nil {
		return nil, err
	}
	messages := codec.NewMessages(payload)
	messages.Next()
	m := messages.Message()
	return bridge.NewMessage(name, m.Args).(*spoe.Message), messages.Err()
}
