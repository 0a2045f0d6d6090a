package recording

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// Magic is the first line of a recording, without its end.
const Magic = "# spoectl recording 1"

// Record is one frame.
type Record struct {
	At      time.Duration // since the recording began
	Conn    int           // the connection, from 1
	ByAgent bool          // who sent it: the agent, or HAProxy
	Frame   []byte        // with its length
}

// Writer writes a recording. It is not for concurrent use.
type Writer struct{ w *bufio.Writer }

// NewWriter begins a recording; comment is a line of text, or empty.
func NewWriter(w io.Writer, comment string) *Writer {
	b := bufio.NewWriter(w)
	b.WriteString(Magic + "\n") // an error stays until Flush
	if comment != "" {
		b.WriteString("# " + strings.ReplaceAll(comment, "\n", " ") + "\n")
	}
	return &Writer{b}
}

// Write writes one frame, by the next Flush.
func (w *Writer) Write(r Record) error {
	by := byte('>')
	if r.ByAgent {
		by = '<'
	}
	b := w.w.AvailableBuffer()
	b = strconv.AppendFloat(b, r.At.Seconds(), 'f', 6, 64)
	b = strconv.AppendInt(append(b, ' '), int64(r.Conn), 10)
	b = append(b, ' ', by, ' ')
	b = append(hex.AppendEncode(b, r.Frame), '\n')
	_, err := w.w.Write(b)
	return err
}

// Flush writes the buffered frames.
func (w *Writer) Flush() error { return w.w.Flush() }

// Recording is a recording that was read.
type Recording struct{ Records []Record }

// Is reports whether a file that begins with b is a recording.
func Is(b []byte) bool { return bytes.HasPrefix(b, []byte(Magic)) }

// Open reads the file of that name.
func Open(name string) (*Recording, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rec, nil
}

// Read reads a recording. An error names the line.
func Read(r io.Reader) (*Recording, error) {
	lines := bufio.NewReader(r)
	rec := &Recording{}
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		text := strings.TrimRight(line, "\r\n")
		switch {
		case n == 1 && text != Magic:
			return nil, fmt.Errorf("line 1: no recording: it does not begin with %q", Magic)
		case text == "" || strings.HasPrefix(text, "#"):
		default:
			record, err := parse(text)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			rec.Records = append(rec.Records, record)
		}
		if err != nil {
			return rec, nil
		}
	}
}

func parse(line string) (Record, error) {
	f := strings.Fields(line)
	if len(f) != 4 {
		return Record{}, fmt.Errorf("%d fields, a frame has 4: time, connection, > or <, hex", len(f))
	}
	at, err := strconv.ParseFloat(f[0], 64)
	if err != nil || !(at >= 0 && at < 1e9) {
		return Record{}, fmt.Errorf("%.40q is no time in seconds", f[0])
	}
	conn, err := strconv.Atoi(f[1])
	if err != nil || conn < 1 {
		return Record{}, fmt.Errorf("%.40q is no connection, they are counted from 1", f[1])
	}
	if f[2] != ">" && f[2] != "<" {
		return Record{}, fmt.Errorf("%.40q is neither > (HAProxy) nor < (the agent)", f[2])
	}
	frame, err := hex.DecodeString(f[3])
	if err != nil {
		return Record{}, fmt.Errorf("the frame: %w", err)
	}
	if n, ok := codec.FrameLength(frame); !ok || int(n) != len(frame)-codec.LengthSize {
		return Record{}, fmt.Errorf("the frame has %d bytes, which its length does not match", len(frame))
	}
	return Record{
		At:   time.Duration(at * float64(time.Second)),
		Conn: conn, ByAgent: f[2] == "<", Frame: frame,
	}, nil
}
