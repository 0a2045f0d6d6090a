package spoe

import "github.com/spoke-go/spoke/codec"

// appendAckLocked puts a job's ACK (§3.2.7) into out.
func (c *conn) appendAckLocked(j *job, actions []byte) {
	if !j.charged {
		c.shared.notifySlots.Release(1)
	}
	if c.phase() >= closing {
		c.shared.counters.inFlight.Add(-1)
		return
	}
	c.outAcks++
	c.needOutLocked()
	start := len(c.out.b)
	b := codec.BeginFrame(c.out.b, codec.FrameAck, codec.FlagFIN, j.streamID, j.frameID)
	if len(actions) == 0 && c.agent.NoEmptyACK {
		b = codec.AppendUnsetVar(b, codec.ScopeTransaction, noopVar)
	}
	c.out.b = codec.FinishFrame(append(b, actions...), start)
	c.holdOutLocked(len(c.out.b) - start)
	if c.phase() == retiring {
		c.retireLocked()
	}
}

// noopVar is the variable that NoEmptyACK unsets.
const noopVar = "spoke_noop"

func (c *conn) appendDisconnectLocked(status codec.Status, message string) {
	if message == "" {
		message = status.String()
	}
	c.setPhaseLocked(closing)
	c.needOutLocked()
	d := codec.Disconnect{Status: status, Message: message}
	c.out.b = codec.AppendFrame(c.out.b, codec.Frame{Type: codec.FrameAgentDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)})
	c.shared.counters.disconnectsSent.add(status)
}

// send writes a frame; no other follows if it is the last.
func (c *conn) send(f codec.Frame, last bool) {
	c.mu.Lock()
	if c.phase() >= closing {
		c.mu.Unlock()
		return
	}
	if last {
		c.setPhaseLocked(closing)
	}
	c.needOutLocked()
	start := len(c.out.b)
	c.out.b = codec.AppendFrame(c.out.b, f)
	c.holdOutLocked(len(c.out.b) - start)
	c.unlockAndFlush()
}

// disconnect writes an AGENT-DISCONNECT (§3.2.9) as the last frame.
func (c *conn) disconnect(status codec.Status, message string) {
	c.mu.Lock()
	if c.phase() >= closing {
		c.mu.Unlock()
		return
	}
	c.appendDisconnectLocked(status, message)
	c.unlockAndFlush()
}
