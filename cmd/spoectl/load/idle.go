//go:build linux

package load

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spoke-go/spoke/codec"
)

// Idle opens the connections and leaves them alone, then uses each once and
// leaves it alone again, then disconnects. After each of these it calls phase,
// with "open", "used" and "closed", and goes on when that returns.
func Idle(ctx context.Context, c Config, phase func(string) error) error {
	if err := c.check(); err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	conns, err := openAll(ctx, &c, int(c.MaxFrameSize)+codec.LengthSize)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	if err := phase("open"); err != nil {
		return err
	}
	for i, k := range conns {
		if err := k.burst(); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	if err := phase("used"); err != nil {
		return err
	}
	if err := disconnectAll(conns); err != nil {
		return err
	}
	return phase("closed")
}

// burst sends as many NOTIFYs as may be in flight, in one write, and awaits
// their ACKs.
func (k *conn) burst() error {
	for len(k.free) > 0 {
		k.notify(0, 0)
	}
	return k.settle()
}

// settle writes the rest of the output and awaits all ACKs; the socket blocks, with a
// timeout.
func (k *conn) settle() error {
	for len(k.out) > 0 {
		if err := k.flush(); err != nil {
			return err
		}
	}
	for k.busy() > 0 {
		n, err := k.receive(len(k.in), func(*slot) {})
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%d NOTIFYs unanswered after %v", k.busy(), helloTimeout)
		}
	}
	return nil
}
