package command

import (
	"fmt"
	"io"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/pcap"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/codec"
)

// captured is one direction of a TCP connection.
type captured struct {
	splitter
	conn  int
	known bool // spop is decided
	spop  bool
	gap   string // says that the capture lacks bytes before this; it is still to be shown
}

// missing says how many bytes a capture lacks.
func missing(n int) string {
	if n < 0 {
		return "the capture lacks bytes here"
	}
	return fmt.Sprintf("the capture lacks %d bytes here", n)
}

func (d *decode) capture(name string, r io.Reader) error {
	d.bare = false
	streams := map[pcap.Stream]*captured{}
	var start time.Time
	conns, shown := 0, 0
	var printErr error
	err := pcap.Streams(r, func(s pcap.Stream, at time.Time, begin bool, lost int, b []byte) {
		if printErr != nil || d.port != 0 && s.Src.Port() != d.port && s.Dst.Port() != d.port {
			return
		}
		if start.IsZero() {
			start = at
		}
		c := streams[s]
		if c == nil || begin {
			c = &captured{}
			if other := streams[s.Reverse()]; other != nil && !other.known && c.conn == 0 {
				c.conn = other.conn // the answer to a SYN
			} else if other != nil && streams[s] == nil {
				c.conn = other.conn
			} else {
				conns++
				c.conn = conns
			}
			if lost != 0 {
				c.gap = missing(lost)
			}
			streams[s] = c
		}
		frames, problem := c.add(b)
		if !c.decide(frames, problem) {
			return
		}
		if c.gap != "" {
			if printErr = d.event(at.Sub(start), c.conn, c.gap, true); printErr != nil {
				return
			}
			c.gap = ""
		}
		if problem != "" {
			printErr = d.event(at.Sub(start), c.conn, problem, false)
		}
		for _, f := range frames {
			shown++
			if printErr = d.frame(recording.Record{At: at.Sub(start), Conn: c.conn, ByAgent: f[codec.LengthSize] >= byte(codec.FrameAgentHello), Frame: f}); printErr != nil {
				return
			}
		}
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case printErr != nil:
		return printErr
	case shown == 0:
		return fmt.Errorf("%s: no frame of SPOP in %d TCP connections", name, conns)
	}
	return nil
}

// decide reports whether a stream is SPOP, by its first frame.
func (c *captured) decide(frames [][]byte, problem string) bool {
	if !c.known && (len(frames) > 0 || problem != "") {
		c.known = true
		if len(frames) > 0 {
			f, err := codec.ParseFrame(frames[0][codec.LengthSize:])
			c.spop = err == nil && spop(f)
		}
		c.bad = c.bad || !c.spop
	}
	return c.spop
}
