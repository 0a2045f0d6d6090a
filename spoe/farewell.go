package spoe

import (
	"errors"
	"os"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// farewell is the DISCONNECT that ends a quiet connection.
type farewell struct {
	status codec.Status
	reason string
}

// toRest asks the reader to leave the waiting to rest.
var toRest = new(farewell)

// askAgain is the time after which the clock asks the reader again: the reader may have
// found bytes, or may clear the deadline of this very question.
const askAgain = 20 * time.Millisecond

// lastLook is the time that the reader waits for bytes before it ends a connection.
const lastLook = 5 * time.Millisecond

// askReader makes the reader look for unread bytes, and end the connection if there are
// none: on a busy machine a NOTIFY may have waited in the socket for long.
func (c *conn) askReader(f *farewell) {
	c.asked.Store(f)
	if c.setReadDeadline(time.Now()) {
		c.clock.arm(now() + int64(askAgain))
	}
}

// answerAsked is called by the reader after askReader. It returns nil if reading
// goes on, or errLast to end the connection.
func (c *conn) answerAsked() error {
	f := c.asked.Swap(nil)
	if f == toRest && c.setReadDeadline(time.Time{}) {
		return errRest
	}
	if f == nil || !c.setReadDeadline(time.Now().Add(lastLook)) {
		return errLast // endWrites or kill set the deadline
	}
	err := c.r.fill()
	c.setReadDeadline(time.Time{})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if !c.isBusy() {
		c.disconnect(f.status, f.reason)
		return errLast
	}
	return nil
}

// setReadDeadline sets the reader's deadline, unless the connection is ending
// and has one for that.
func (c *conn) setReadDeadline(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase() >= closing {
		return false
	}
	c.nc.SetReadDeadline(t)
	return true
}
