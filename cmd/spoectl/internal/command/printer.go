package command

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/hide"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/show"
	"github.com/spoke-go/spoke/codec"
)

// printer prints frames.
type printer struct {
	out      io.Writer
	json     bool
	limit    int
	bare     bool // neither time, connection nor side are known
	hider    *hide.Hider
	decoders map[int]*[2]show.Decoder
}

// printed is a frame, or a note, as --json has it.
type printed struct {
	At   *float64 `json:"at,omitempty"` // seconds
	Conn int      `json:"connection,omitempty"`
	From string   `json:"from,omitempty"`
	*show.Frame
	Event string `json:"event,omitempty"` // something else than a frame
}

func (p *printer) decoder(conn int, side show.Side) *show.Decoder {
	if p.decoders == nil {
		p.decoders = map[int]*[2]show.Decoder{}
	}
	if p.decoders[conn] == nil {
		p.decoders[conn] = new([2]show.Decoder)
	}
	return &p.decoders[conn][side]
}

// frame prints one frame. Its Hider may hold frames back; they are printed with the
// frame that releases them.
func (p *printer) frame(r recording.Record) error { return p.all(p.hider.Add(r)) }

// rest prints the frames that the Hider still holds.
func (p *printer) rest() error { return p.all(p.hider.Rest()) }

func (p *printer) all(records []recording.Record) error {
	for _, r := range records {
		if err := p.one(r); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) one(r recording.Record) error {
	side := show.HAProxy
	if r.ByAgent {
		side = show.Agent
	}
	f := p.decoder(r.Conn, side).Decode(r.Frame[codec.LengthSize:])
	if p.json {
		line := printed{Frame: &f}
		if !p.bare {
			at := r.At.Seconds()
			line.At, line.Conn, line.From = &at, r.Conn, side.String()
		}
		return p.line(line)
	}
	if !p.bare {
		if _, err := fmt.Fprintf(p.out, "%.6f #%d %s ", r.At.Seconds(), r.Conn, [...]string{">", "<"}[side]); err != nil {
			return err
		}
	}
	_, err := io.WriteString(p.out, f.Text(p.limit))
	return err
}

// event prints an event that is not a frame. It forgets a connection that ended.
func (p *printer) event(at time.Duration, conn int, text string, ended bool) error {
	if ended {
		delete(p.decoders, conn)
	}
	if p.json {
		seconds := at.Seconds()
		return p.line(printed{At: &seconds, Conn: conn, Event: text})
	}
	_, err := fmt.Fprintf(p.out, "%.6f #%d . %s\n", at.Seconds(), conn, text)
	return err
}

func (p *printer) line(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// gap says that events are missing from the output.
func (p *printer) gap(n int) error {
	text := fmt.Sprintf("%d frames and events are not shown: the output was not read in time", n)
	if p.json {
		return p.line(printed{Event: text})
	}
	_, err := fmt.Fprintln(p.out, "... "+text)
	return err
}
