package codec

// Disconnect is the payload of a HAPROXY-DISCONNECT (§3.2.8) and of an
// AGENT-DISCONNECT (§3.2.9).
type Disconnect struct {
	Status  Status
	Message string
}

// Append appends the payload.
func (d *Disconnect) Append(b []byte) []byte {
	b = AppendArg(b, "status-code", Uint32(uint32(d.Status)))
	return AppendArg(b, "message", String(d.Message))
}

// ParseDisconnect reads the payload. Both keys are mandatory in the specification.
// ParseDisconnect leaves a missing one zero, because the connection ends anyway.
func ParseDisconnect(payload []byte) (Disconnect, error) {
	var d Disconnect
	c := cursor{b: payload}
	for c.more() {
		name, v := c.str("key"), c.value("value")
		switch string(name) {
		case "status-code":
			n, _ := v.Uint()
			d.Status = Status(n)
		case "message":
			d.Message = v.Str()
		}
	}
	return d, c.error()
}
