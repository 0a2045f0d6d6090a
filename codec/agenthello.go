package codec

// AgentHello is the payload of an AGENT-HELLO (§3.2.5).
type AgentHello struct {
	Version      string
	MaxFrameSize uint32 // bytes, without the length in front of a frame
	Capabilities string // a comma-separated list
}

// Has tells whether the agent announces the capability.
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
	var h AgentHello
	var version, size, caps bool
	c := cursor{b: payload}
	for c.more() {
		at := c.off
		name, v := c.str("key"), c.value("value")
		if c.failed() {
			break
		}
		switch string(name) {
		case "version":
			h.Version, version = c.helloString(at, "version", v), true
		case "max-frame-size":
			h.MaxFrameSize, size = c.helloSize(at, v), true
		case "capabilities":
			h.Capabilities, caps = c.helloString(at, "capabilities", v), true
		}
	}
	switch {
	case c.failed():
		return h, c.error()
	case !version:
		return h, &Error{StatusNoVersion, c.off, "agent hello without version"}
	case !size:
		return h, &Error{StatusNoMaxFrameSize, c.off, "agent hello without max-frame-size"}
	case !caps:
		return h, &Error{StatusNoCapabilities, c.off, "agent hello without capabilities"}
	}
	return h, nil
}
