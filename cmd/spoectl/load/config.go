package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// Message is one NOTIFY.
type Message struct {
	// Notify is its payload: one or several messages.
	Notify []byte
	// Ack is the payload that its ACK must have, or one with the same actions,
	// if Check is set. Without, any ACK will do.
	Ack   []byte
	Check bool
}

// Config has the messages and their target.
type Config struct {
	// Network and Addr are where the agent listens, as in net.Dial.
	Network, Addr string
	// Dial, if not nil, connects instead. A connection that is no socket, such as TLS, goes
	// through two goroutines of its own, and is slower.
	Dial func(ctx context.Context) (net.Conn, error)
	// MaxFrameSize is the size that the hello offers, in bytes. Default: 16380, as
	// HAProxy's with its default tune.bufsize.
	MaxFrameSize uint32

	// Messages are sent in turn; one at least.
	Messages []Message
	// Conns is the number of connections, InFlight the greatest number of NOTIFYs
	// that wait for their ACK on each of them; each is at least 1.
	Conns, InFlight int

	// Rate is the number of NOTIFYs a second on all connections together,
	// whether the agent keeps up or not; 0 sends each as soon as InFlight allows.
	// Pipeline only.
	Rate float64
	// Warm is sent before anything is measured, Window is the time of the measurement.
	Warm, Window time.Duration
	// Count ends the run after so many NOTIFYs, if that is before the end of
	// Window; 0 is no such bound. Pipeline only.
	Count uint64

	// Failure, if not nil, is the variable by which ACKs say that the agent failed.
	// Pipeline only.
	Failure *FailureVar

	// Edge, if not nil, is called where the measured window begins and where it
	// ends, from the generator's thread. Pipeline only.
	Edge func() error
	// Progress, if not nil, is called once a second, from the generator's thread.
	// Pipeline only.
	Progress func(Progress)
}

// Progress is the progress of a run.
type Progress struct {
	Elapsed time.Duration // since the first NOTIFY
	Acks    uint64        // so far
	Rate    float64       // NOTIFYs a second since the last call
	Latency Histogram     // since the last call
}

const defaultMaxFrameSize = 16380

func (c *Config) check() error {
	switch {
	case c.Conns < 1 || c.InFlight < 1:
		return errors.New("connections and NOTIFYs in flight are at least 1")
	case len(c.Messages) == 0:
		return errors.New("there is no message to send")
	case c.Rate < 0:
		return errors.New("a rate is not negative")
	}
	if c.MaxFrameSize == 0 {
		c.MaxFrameSize = defaultMaxFrameSize
	}
	for i, m := range c.Messages {
		if _, err := codec.CheckMessages(m.Notify); err != nil {
			return fmt.Errorf("message %d: %w", i+1, err)
		}
		if n := len(m.Notify) + maxHeader; n > int(c.MaxFrameSize) {
			return fmt.Errorf("message %d makes a frame of %d bytes, over the frame size of %d; the generator does not fragment", i+1, n, c.MaxFrameSize)
		}
	}
	return nil
}

// maxHeader is the longest header of a frame: type, flags and two varints.
const maxHeader = 1 + 4 + 2*codec.MaxVarintLen

// Bytes that a connection reads at once: few where there are very many of them.
// An ACK that is longer fails the run.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)
