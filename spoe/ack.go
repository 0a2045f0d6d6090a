package spoe

import (
	"time"

	"github.com/spoke-go/spoke/codec"
)

// lingerTime is how long the agent waits, once it has sent its last frame, for HAProxy to
// close. If it closed with bytes from HAProxy unread, the kernel would reset the connection
// and drop the last frame.
const lingerTime = time.Second

// appendAckLocked puts a job's ACK (§3.2.7) into out.
func (c *conn) appendAckLocked(j *job, actions []byte) {
	if !j.charged {
		c.eng.notifySlots.Release(1)
	}
	if c.phase() >= closing {
		c.eng.counters.inFlight.Add(-1)
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

// reading reports whether part of a request has come, or bytes that the reader
// has not got to.
func (c *conn) reading() bool {
	return c.unread.Load() || c.clock.frameSince.Load() != never || c.clock.payloadSince.Load() != never
}

// noopVar is the variable that NoEmptyACK unsets.
const noopVar = "spoke_noop"

func (c *conn) needOutLocked() {
	if c.out == nil {
		c.out = writeBuffers.Get().(*buffer)
	}
}

// becomeFlusherLocked returns true if there are bytes to write and no goroutine writes: the
// caller must flush.
func (c *conn) becomeFlusherLocked() bool {
	if c.flusher || c.out == nil || c.holdingLocked() {
		return false
	}
	c.flusher = true
	return true
}

func (c *conn) appendDisconnectLocked(status codec.Status, message string) {
	if message == "" {
		message = status.String()
	}
	c.setPhaseLocked(closing)
	c.needOutLocked()
	d := codec.Disconnect{Status: status, Message: message}
	c.out.b = codec.AppendFrame(c.out.b, codec.Frame{Type: codec.FrameAgentDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)})
	c.eng.counters.disconnectsSent.add(status)
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
	mine := c.becomeFlusherLocked()
	c.mu.Unlock()
	if mine {
		c.flush()
	}
}

// disconnect writes an AGENT-DISCONNECT (§3.2.9) as the last frame.
func (c *conn) disconnect(status codec.Status, message string) {
	c.mu.Lock()
	if c.phase() >= closing {
		c.mu.Unlock()
		return
	}
	c.appendDisconnectLocked(status, message)
	mine := c.becomeFlusherLocked()
	c.mu.Unlock()
	if mine {
		c.flush()
	}
}

// flush writes out until it is empty. Only the flusher may call it.
func (c *conn) flush() {
	c.mu.Lock()
	for c.out != nil && c.phase() < closed && !c.holdingLocked() {
		buf, sent, held := c.out, c.outAcks, c.outHeld
		c.out, c.outAcks, c.outHeld = nil, 0, 0
		c.mu.Unlock()
		t := now()
		c.clock.writeSince.Store(t)
		c.clock.lastFrame.Store(t)
		c.clock.arm(t + int64(c.eng.write))

		err := c.w.write(c.nc, buf.b)
		putWriteBuffer(buf)
		c.clock.writeSince.Store(never)
		c.account(sent, err == nil)

		c.mu.Lock()
		c.holdLocked(-held)
		if err != nil {
			c.breakLocked()
		}
		c.wakeLocked()
	}
	if c.phase() >= closing { // no more bytes are appended
		c.discardLocked()
		broken := c.phase() == closed
		c.mu.Unlock()
		if broken {
			c.kill()
		} else {
			c.endWrites()
		}
		c.mu.Lock()
		c.discardLocked() // late handlers' ACKs since
	}
	c.flusher = false
	c.wakeLocked()
	c.mu.Unlock()
}

// discardLocked drops bytes that can no longer be written.
func (c *conn) discardLocked() {
	c.account(c.outAcks, false)
	c.holdLocked(-c.outHeld)
	c.out, c.outAcks, c.outHeld = nil, 0, 0
}

// account takes ACKs off what is in flight.
func (c *conn) account(acks int64, written bool) {
	c.eng.counters.inFlight.Add(-acks)
	if written {
		c.eng.counters.acks.Add(uint64(acks))
	}
}

// endWrites tells HAProxy that nothing follows, and bounds the wait for it to
// close.
func (c *conn) endWrites() {
	c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		return
	}
	c.nc.SetReadDeadline(time.Now()) // a pipe: nothing is under way in it
}
