package main

import "github.com/spoke-go/spoke/codec"

// control answers the frames of a connection's begin and end; more is false
// where the connection is over.
func control(frame, out []byte) (reply []byte, more bool) {
	f, err := codec.ParseFrame(frame)
	if err != nil {
		return out, false
	}
	switch f.Type {
	case codec.FrameHAProxyHello:
		return hello(f, out)
	case codec.FrameHAProxyDisconnect:
		return disconnect(out, codec.StatusNormal), false
	case codec.FrameUnset: // not announced
		return disconnect(out, codec.StatusNoFragmentation), false
	}
	return out, true
}

func hello(f codec.Frame, out []byte) (reply []byte, more bool) {
	h, err := codec.ParseHAProxyHello(f.Payload)
	if err != nil {
		return disconnect(out, codec.StatusInvalid), false
	}
	answer := codec.AgentHello{
		Version:      codec.Version,
		MaxFrameSize: min(h.MaxFrameSize, bufSize-codec.LengthSize),
		Capabilities: codec.CapPipelining,
	}
	return codec.AppendFrame(out, codec.Frame{
		Type:    codec.FrameAgentHello,
		Flags:   codec.FlagFIN,
		Payload: answer.Append(nil),
	}), !h.Healthcheck
}

func disconnect(out []byte, status codec.Status) []byte {
	d := codec.Disconnect{Status: status, Message: status.String()}
	return codec.AppendFrame(out, codec.Frame{
		Type:    codec.FrameAgentDisconnect,
		Flags:   codec.FlagFIN,
		Payload: d.Append(nil),
	})
}
