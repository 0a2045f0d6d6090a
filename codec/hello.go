package codec

import (
	"fmt"
	"math"
	"strings"
)

// Version is the version of SPOP that this package speaks.
const Version = "2.0"

// HAProxyHello is the payload of a HAPROXY-HELLO (§3.2.4).
type HAProxyHello struct {
	// SupportedVersions is a comma-separated list such as "1.0, 2.0".
	SupportedVersions string
	// MaxFrameSize is the longest frame that HAProxy takes, in bytes, without
	// the length in front of it.
	MaxFrameSize uint32
	// Capabilities is a comma-separated list; it may be empty.
	Capabilities string
	// Healthcheck reports whether the hello is a health check, which ends with the
	// AGENT-HELLO.
	Healthcheck bool
	// EngineID names the engine, or is empty: a health check has none.
	EngineID string
}

// Pipelining reports whether HAProxy can have several NOTIFYs in flight.
func (h *HAProxyHello) Pipelining() bool { return hasItem(h.Capabilities, CapPipelining) }

// Async reports whether HAProxy takes ACKs on another connection than that of their
// NOTIFYs. HAProxy up to 3.0 does.
func (h *HAProxyHello) Async() bool { return hasItem(h.Capabilities, CapAsync) }

// ParseHAProxyHello reads the payload of a HAPROXY-HELLO. The *Error has the status that
// the agent answers: 4 for bytes that cannot be read, 5, 6 and 7 for a missing key, 8 if no
// version is 2.x, 9 for a frame size under 256. It ignores unknown keys.
func ParseHAProxyHello(payload []byte) (HAProxyHello, error) {
	var h HAProxyHello
	c := cursor{b: payload}
	keys, err := c.hello("hello", "supported-versions", func(name []byte, v Value) {
		switch string(name) {
		case "healthcheck":
			h.Healthcheck, _ = v.Bool()
		case "engine-id":
			h.EngineID = v.Str()
		}
	})
	h.SupportedVersions, h.MaxFrameSize, h.Capabilities = keys.version, keys.size, keys.capabilities
	switch {
	case err != nil:
		return h, err
	case !supportsVersion2(h.SupportedVersions):
		return h, &Error{StatusBadVersion, c.off, fmt.Sprintf("hello with supported-versions %.64q, the agent speaks "+Version, h.SupportedVersions)}
	case h.MaxFrameSize < MinMaxFrameSize:
		return h, &Error{StatusBadFrameSize, c.off, fmt.Sprintf("hello with max-frame-size %d, the least is %d", h.MaxFrameSize, MinMaxFrameSize)}
	}
	return h, nil
}

// helloKeys are the keys that the hellos of both sides must have.
type helloKeys struct {
	version, capabilities string
	size                  uint32
}

// hello reads the payload of a hello. versionKey is the key of its version. It passes keys
// that only one side has to other.
func (c *cursor) hello(who, versionKey string, other func(name []byte, v Value)) (keys helloKeys, err error) {
	var version, size, caps bool
	for c.more() {
		at := c.off
		name, v := c.str("key"), c.value("value")
		switch string(name) {
		case versionKey:
			keys.version, version = c.helloString(at, versionKey, v), true
		case "max-frame-size":
			keys.size, size = c.helloSize(at, v), true
		case "capabilities":
			keys.capabilities, caps = c.helloString(at, "capabilities", v), true
		default:
			other(name, v)
		}
	}
	switch {
	case c.failed():
		return keys, c.error()
	case !version:
		return keys, &Error{StatusNoVersion, c.off, who + " without " + versionKey}
	case !size:
		return keys, &Error{StatusNoMaxFrameSize, c.off, who + " without max-frame-size"}
	case !caps:
		return keys, &Error{StatusNoCapabilities, c.off, who + " without capabilities"}
	}
	return keys, nil
}

// helloString takes a STRING or a BINARY.
func (c *cursor) helloString(at int, key string, v Value) string {
	if v.typ != TypeString && v.typ != TypeBinary {
		c.fail(at, "hello with %s as %s, it is a STRING", key, v.typ)
		return ""
	}
	return v.Str()
}

// helloSize takes any integer type. It returns the maximum for a size that no frame can
// have, and 0, which is too small, for a negative one.
func (c *cursor) helloSize(at int, v Value) (size uint32) {
	switch n, ok := v.Uint(); {
	case ok:
		size = uint32(min(n, math.MaxUint32))
	case integerError(v) == errType:
		c.fail(at, "hello with max-frame-size as %s, it is a UINT32", v.typ)
	}
	return size
}

// supportsVersion2 reports whether one version of the list is 2.x: by §3.2.4, HAProxy
// supports all minor versions below the one that it announces.
func supportsVersion2(list string) bool {
	for v := range strings.SplitSeq(list, ",") {
		major, minor, ok := strings.Cut(strings.TrimSpace(v), ".")
		if major == "2" && ok && isDigits(minor) {
			return true
		}
	}
	return false
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Append appends the payload, with the keys in HAProxy's order. Like HAProxy's, a hello for
// a health check has no engine-id.
func (h *HAProxyHello) Append(b []byte) []byte {
	b = AppendArg(b, "supported-versions", String(h.SupportedVersions))
	b = AppendArg(b, "max-frame-size", Uint32(h.MaxFrameSize))
	b = AppendArg(b, "capabilities", String(h.Capabilities))
	if h.Healthcheck {
		b = AppendArg(b, "healthcheck", Bool(true))
	}
	if h.EngineID != "" {
		b = AppendArg(b, "engine-id", String(h.EngineID))
	}
	return b
}
