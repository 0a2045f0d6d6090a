package codec

// AgentHello is the payload of an AGENT-HELLO (§3.2.5).
type AgentHello struct {
	Version      string
	MaxFrameSize uint32 // bytes, without the length in front of a frame
	Capabilities string // a comma-separated list
}

// Has reports whether the agent announces the capability.
func (h *AgentHello) Has(capability string) bool { return hasItem(h.Capabilities, capability) }

// Append appends the payload.
func (h *AgentHello) Append(b []byte) []byte {
	b = AppendArg(b, "version", String(h.Version))
	b = AppendArg(b, "max-frame-size", Uint32(h.MaxFrameSize))
	return AppendArg(b, "capabilities", String(h.Capabilities))
}

// ParseAgentHello reads the payload, as HAProxy's side does. All three keys
// are mandatory.
func ParseAgentHello(payload []byte) (AgentHello, error) {
	c := cursor{b: payload}
	keys, err := c.hello("agent hello", "version", func([]byte, Value) {})
	return AgentHello{Version: keys.version, MaxFrameSize: keys.size, Capabilities: keys.capabilities}, err
}
