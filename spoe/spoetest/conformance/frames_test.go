package conformance_test

import "github.com/spoke-go/spoke/codec"

// The frames of an agent that a test makes itself.

func agentHello(h codec.AgentHello) codec.Frame {
	return codec.Frame{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: h.Append(nil)}
}

func agentDisconnect(status codec.Status, text string) codec.Frame {
	d := codec.Disconnect{Status: status, Message: text}
	return codec.Frame{Type: codec.FrameAgentDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)}
}

func ack(stream, frame uint64, payload []byte) codec.Frame {
	return codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: stream, FrameID: frame, Payload: payload}
}

func setVar(scope codec.Scope, name string, v codec.Value) []byte {
	return codec.AppendSetVar(nil, scope, name, v)
}
