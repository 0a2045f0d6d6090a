package main

import "fmt"

// idle opens the connections and leaves them alone, then uses each once and
// leaves it alone again, then disconnects.
func idle(c config) error {
	conns, err := openAll(c, maxFrameSize)
	if err != nil {
		return err
	}
	if err := print("open"); err != nil {
		return err
	}
	if err := next(); err != nil {
		return err
	}
	for i, k := range conns {
		if err := k.burst(); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	if err := print("used"); err != nil {
		return err
	}
	if err := next(); err != nil {
		return err
	}
	if err := goodbyeAll(conns); err != nil {
		return err
	}
	return print("closed")
}

// burst sends as many NOTIFYs as may be in flight, in one write, and awaits
// their ACKs.
func (k *conn) burst() error {
	for len(k.free) > 0 {
		k.notify(0)
	}
	return k.settle()
}

// settle writes what is left and awaits all ACKs; the socket blocks, with a
// timeout.
func (k *conn) settle() error {
	for len(k.out) > 0 {
		if err := k.flush(); err != nil {
			return err
		}
	}
	for k.busy() > 0 {
		n, err := k.receive(len(k.in), func(int64) {})
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%d NOTIFYs unanswered after %v", k.busy(), helloTimeout)
		}
	}
	return nil
}
