package conformance

// The rows of the contract, in the order of the table "On the wire".
const (
	rowHello        = "HAPROXY-HELLO is answered by an AGENT-HELLO"
	rowVersions     = "supported-versions with a 2.x are accepted"
	rowLenient      = "a hello without pipelining or engine-id, with unknown keys, with any integer type is accepted"
	rowMaxFrameSize = "max-frame-size is taken as offered"
	rowHealthCheck  = "a health check is answered, then closed"
	rowMissing      = "a hello that lacks something: AGENT-DISCONNECT 5, 6 or 7"
	rowUnsupported  = "unsupported version, size under 256: AGENT-DISCONNECT 8, 9"
	rowRefused      = "a frame out of place or garbage: AGENT-DISCONNECT 4"
	rowNotify       = "NOTIFY: exactly one ACK with its ids"
	rowMessages     = "several messages in one NOTIFY"
	rowUnknown      = "a message without a handler, or none"
	rowFailure      = "a handler that fails or panics"
	rowDeadline     = "a handler that exceeds its timeout"
	rowVarName      = "a variable name that HAProxy would refuse"
	rowAckSize      = "an ACK over the agreed size is never sent"
	rowFrameSize    = "a frame over the agreed size: AGENT-DISCONNECT 3"
	rowMalformed    = "a malformed payload: AGENT-DISCONNECT 4"
	rowFragments    = "NOTIFY without FIN, continued by frames of type 0"
	rowDisconnect   = "HAPROXY-DISCONNECT is answered by AGENT-DISCONNECT 0"
	rowEnd          = "a reset or EOF without DISCONNECT is normal"
	rowShort        = "a frame of fewer than 7 bytes: AGENT-DISCONNECT 4"
	rowFrameType    = "an unknown frame type is skipped"
	rowSilent       = "HAProxy gone silent: a timeout ends that connection alone"

	// The text around the table.
	rowWrites   = "every frame leaves in one write"
	rowNoEmpty  = "an option keeps ACKs from being without an action"
	rowValues   = "values travel as they are"
	rowBinding  = "values bind to Go types and back"
	rowEngine   = "one slow handler delays no other message"
	rowShutdown = "a shutdown answers each NOTIFY that was accepted"
)
