package command

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/pcap"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/codec"
)

type decode struct {
	printer
	full bool
	port uint16
	hex  bool
	raw  bool
}

func newDecode() *cobra.Command {
	d := &decode{}
	cmd := &cobra.Command{
		Use:   "decode [FILE|HEX]…",
		Short: "Show frames from hex, raw bytes, a packet capture or a recording",
		Long: `Show frames as a person reads them. Each argument is a file or hex digits; without
any, standard input is read. What a file is shows by itself: a capture of tcpdump
or Wireshark (pcap, pcapng), a recording of "spoectl tap", hex digits (as xxd
writes them too; # begins a comment), or else raw bytes. Each frame begins with its
length of four bytes.

In a capture, the TCP streams that look like SPOP are shown, or with --port those
to and from that port. A stream that was captured from its middle is shown if it
was between two frames; so is one after a segment that the capture lacks.`,
		Example: `  spoectl decode 0000001703000000010101 0669702d7265700102697006c0000242
  tcpdump -i lo -w - port 9000 | spoectl decode
  spoectl decode today.rec --json`,
		RunE: func(cmd *cobra.Command, words []string) error {
			d.out, d.limit = cmd.OutOrStdout(), limitOf(d.full)
			if d.hex && d.raw {
				return errors.New("--hex and --raw exclude each other")
			}
			return d.run(cmd.InOrStdin(), words)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&d.json, "json", false, "print a line of JSON a frame")
	f.BoolVar(&d.full, "full", false, "do not shorten long strings")
	f.Uint16Var(&d.port, "port", 0, "of a capture, show what goes to and comes from this `port`")
	f.BoolVar(&d.hex, "hex", false, "take files for hex digits")
	f.BoolVar(&d.raw, "raw", false, "take files for raw bytes")
	return cmd
}

func (d *decode) run(in io.Reader, words []string) error {
	if len(words) == 0 {
		words = []string{"-"}
	}
	var digits []string
	for _, w := range words {
		if w == "-" {
			if err := d.read("standard input", in); err != nil {
				return err
			}
			continue
		}
		f, err := os.Open(w)
		if err == nil {
			err = d.read(w, f)
			f.Close()
			if err != nil {
				return err
			}
			continue
		}
		if !hexDigits.MatchString(w) {
			return err // a file that is not there
		}
		digits = append(digits, w)
	}
	if len(digits) == 0 {
		return nil
	}
	b, err := hex.DecodeString(strings.Join(digits, ""))
	if err != nil {
		return fmt.Errorf("the hex digits: %w", err)
	}
	return d.bytes("the hex digits", b)
}

var hexDigits = regexp.MustCompile(`^[0-9a-fA-F]+$`)

func (d *decode) read(name string, in io.Reader) error {
	r := bufio.NewReader(in)
	head, _ := r.Peek(4096) // an error comes again
	switch {
	case len(head) == 0:
		return fmt.Errorf("%s is empty", name)
	case d.raw:
	case !d.hex && pcap.Is(head):
		return d.capture(name, r)
	case !d.hex && recording.Is(head):
		return d.recording(name, r)
	case d.hex || isHex(head):
		return d.hexFile(name, r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return d.bytes(name, b)
}

// isHex tells whether text looks like hex digits.
func isHex(b []byte) bool {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return bytes.HasPrefix(line, []byte("#")) || hexLine.Match(line)
}

// hexLine is hex digits, or a line of xxd: an offset, digits, and the same as
// text.
var hexLine = regexp.MustCompile(`^\s*(?:[0-9a-fA-F]+: ((?:[0-9a-fA-F]{2,4} ?)+)(?: .*)?|((?:[0-9a-fA-F]{2}\s*)+))$`)

func (d *decode) hexFile(name string, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4*longestFrame)
	var b []byte
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := hexLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%s:%d: %.40q is no hex", name, n, line)
		}
		more, err := hex.DecodeString(strings.Join(strings.Fields(m[1]+m[2]), ""))
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
		b = append(b, more...)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return d.bytes(name, b)
}

// bytes shows frames of which nothing else is known.
func (d *decode) bytes(name string, b []byte) error {
	d.bare = true
	var s splitter
	frames, problem := s.add(b)
	for _, f := range frames {
		if err := d.frame(recording.Record{Frame: f}); err != nil {
			return err
		}
	}
	switch n, _ := codec.FrameLength(s.partial); {
	case problem != "":
		return fmt.Errorf("%s: %s", name, problem)
	case len(s.partial) >= codec.LengthSize:
		return fmt.Errorf("%s: %d bytes are left, the last frame has %d", name, len(s.partial), int(n)+codec.LengthSize)
	case len(s.partial) > 0:
		return fmt.Errorf("%s: %d bytes are left, which is less than a frame's length", name, len(s.partial))
	case len(frames) == 0:
		return fmt.Errorf("%s: there is no frame in it", name)
	}
	return nil
}

func (d *decode) recording(name string, r io.Reader) error {
	d.bare = false
	rec, err := recording.Read(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, r := range rec.Records {
		if err := d.frame(r); err != nil {
			return err
		}
	}
	return nil
}

// captured is one direction of a TCP connection.
type captured struct {
	splitter
	conn  int
	known bool // whether it is SPOP has been decided
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

// decide tells whether a stream is SPOP, by its first frame.
func (c *captured) decide(frames [][]byte, problem string) bool {
	if !c.known && (len(frames) > 0 || problem != "") {
		c.known = true
		if len(frames) > 0 {
			f, err := codec.ParseFrame(frames[0][codec.LengthSize:])
			c.spop = err == nil && f.Flags&^(codec.FlagFIN|codec.FlagABORT) == 0 &&
				(f.Type <= codec.FrameNotify || f.Type >= codec.FrameAgentHello && f.Type <= codec.FrameAck)
		}
		c.bad = c.bad || !c.spop
	}
	return c.spop
}
