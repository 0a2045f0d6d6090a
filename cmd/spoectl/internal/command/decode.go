package command

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/pcap"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/codec"
)

type decode struct {
	printer
	secrets
	errOut io.Writer
	full   bool
	port   uint16
	hex    bool
	raw    bool
}

func newDecode() *cobra.Command {
	d := &decode{}
	cmd := &cobra.Command{
		Use:   "decode [FILE|HEX]…",
		Short: "Show frames from hex, raw bytes, a packet capture or a recording",
		Long: `Show frames as a person reads them. Each argument is a file or hex digits; without
any, decode reads standard input. It recognises a capture of tcpdump or Wireshark
(pcap, pcapng), a recording of "spoectl tap", and bytes as text: hex digits, the
output of hexdump -C, xxd, tcpdump -x, Wireshark and gdb, an array such as
{0x00, 0x17}, a string with \x00, and <hex> as C agents log it. It says which form
it saw; # begins a comment. Everything else is raw bytes. Each frame begins with its
length of four bytes, which a single frame may lack.

In a capture, the TCP streams that look like SPOP are shown, or with --port those
to and from that port. A stream that was captured from its middle is shown if it
was between two frames; so is one after a segment that the capture lacks.

` + secretsHelp,
		Example: `  spoectl decode 0000001703000000010101 0669702d7265700102697006c0000242
  tcpdump -i lo -w - port 9000 | spoectl decode
  spoectl decode today.rec --json`,
		RunE: func(cmd *cobra.Command, words []string) error {
			d.out, d.errOut, d.limit = cmd.OutOrStdout(), cmd.ErrOrStderr(), limitOf(d.full)
			if d.hex && d.raw {
				return errors.New("--hex and --raw exclude each other")
			}
			rules, err := d.rules()
			if err != nil {
				return err
			}
			d.hider = hider(rules)
			return errors.Join(d.run(cmd.InOrStdin(), words), d.rest())
		},
	}
	d.secrets.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&d.json, "json", false, "print a line of JSON a frame")
	f.BoolVar(&d.full, "full", false, "do not shorten long strings")
	f.Uint16Var(&d.port, "port", 0, "of a capture, show the traffic of this `port`")
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
		if formOf([]byte(w)) == nil && !hexDigits.MatchString(w) {
			return err // a file that is not there
		}
		digits = append(digits, w)
	}
	if len(digits) == 0 {
		return nil
	}
	name, text := "the argument", strings.Join(digits, " ")
	if hexDigits.MatchString(strings.Join(digits, "")) {
		name, text = "the hex digits", strings.Join(digits, "")
		if len(text)%2 != 0 {
			return fmt.Errorf("the hex digits: there are %d, which is no whole number of bytes", len(text))
		}
	}
	return d.text(name, []byte(text))
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
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if text := unquoted(b); !d.raw && (d.hex || formOf(text) != nil || fixOf(text) != "") {
		return d.text(name, b)
	}
	return d.bytes(name, b)
}

// text reads bytes that are written as text, and says which form it takes them for.
func (d *decode) text(name string, text []byte) error {
	text = unquoted(text)
	if fix := fixOf(text); fix != "" {
		return fmt.Errorf("%s: %s", name, fix)
	}
	f := formOf(text)
	if f == nil {
		return fmt.Errorf("%s: its first line is not one of a form that decode reads: hex digits, hexdump -C, xxd, od -t x1, tcpdump -x, Wireshark, gdb, an array, a string with \\x00, <hex>, base64", name)
	}
	chunks, err := f.parse(text)
	if err != nil {
		return fmt.Errorf("%s: read as %s: %w", name, f.name, err)
	}
	if f.name != plainHex {
		fmt.Fprintf(d.errOut, "spoectl decode: %s: read as %s\n", name, f.name)
		name += ", read as " + f.name
	}
	for _, b := range chunks {
		if payload, ok := tcpPayload(b); ok {
			if b = payload; len(b) == 0 {
				continue // an ACK of TCP
			}
		}
		if err := d.bytes(name, withLength(b)); err != nil {
			return err
		}
	}
	return nil
}

// withLength puts the length before a frame that has none, as agents log it.
func withLength(b []byte) []byte {
	if n, ok := codec.FrameLength(b); ok && int(n) <= len(b)-codec.LengthSize {
		return b
	}
	if f, err := codec.ParseFrame(b); err == nil && spop(f) {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	}
	return b
}

// spop reports whether a frame has a type and flags that SPOP knows.
func spop(f codec.Frame) bool {
	return f.Flags&^(codec.FlagFIN|codec.FlagABORT) == 0 &&
		(f.Type <= codec.FrameNotify || f.Type >= codec.FrameAgentHello && f.Type <= codec.FrameAck)
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
