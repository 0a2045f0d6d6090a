package command

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/hide"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
)

// Bytes of frames that wait to be shown or recorded, at most.
const (
	showRoom   = 16 << 20
	recordRoom = 64 << 20
)

// showPatience is how long the end of tap waits for output that is not read.
const showPatience = time.Second

// shower shows events. It may get stuck in a write for as long as it likes.
type shower struct {
	*queue
	out     *printer
	say     io.Writer
	missing atomic.Int64 // events that were not shown
	taken   atomic.Int64 // events taken from the queue and not yet shown
	ended   chan struct{}
}

func startShowing(p *printer, say io.Writer) *shower {
	s := &shower{queue: newQueue(showRoom), out: p, say: say, ended: make(chan struct{})}
	go s.run() // ends with the queue, unless a write is stuck: then with the process
	return s
}

func (s *shower) run() {
	defer close(s.ended)
	broken := false
	for {
		events, lost, ok := s.take()
		if !ok {
			if !broken {
				_ = s.out.rest() // the last of the output
			}
			return
		}
		s.taken.Store(int64(len(events)))
		for _, e := range events {
			if !broken {
				if err := s.show(e); err != nil {
					broken = true
					s.complain(err)
				}
			}
			if broken {
				s.missing.Add(1)
			}
			s.taken.Add(-1)
		}
		if lost > 0 {
			s.missing.Add(int64(lost))
			if !broken {
				s.out.decoders = nil // a fragment may be among them
				broken = s.out.gap(lost) != nil
			}
		}
	}
}

func (s *shower) show(e event) error {
	if e.Frame == nil {
		return s.out.event(e.At, e.Conn, e.text, e.ended)
	}
	return s.out.frame(e.Record)
}

func (s *shower) complain(err error) {
	if errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(s.say, "spoectl tap: the output has been closed; traffic goes on until Ctrl-C")
		return
	}
	fmt.Fprintf(s.say, "spoectl tap: the output cannot be written: %s; traffic goes on until Ctrl-C\n", oneLine(err.Error()))
}

// end waits for the output for a moment, and says how much of it is missing.
func (s *shower) end() {
	s.close()
	select {
	case <-s.ended:
	case <-time.After(showPatience):
	}
	if n := s.missing.Load() + s.taken.Load() + int64(s.left()); n > 0 {
		fmt.Fprintf(s.say, "spoectl tap: %d frames and events were not shown: the output was not read in time\n", n)
	}
}

// recorder writes a recording.
type recorder struct {
	*queue
	w     *recording.Writer
	hider *hide.Hider
	say   io.Writer
	ended chan error
}

func startRecording(w *recording.Writer, h *hide.Hider, say io.Writer) *recorder {
	r := &recorder{queue: newQueue(recordRoom), w: w, hider: h, say: say, ended: make(chan error, 1)}
	go func() { r.ended <- r.run() }() // ends with the queue
	return r
}

// run returns the first error. It takes events to the end in any case.
func (r *recorder) run() error {
	var first error
	missing := 0
	keep := func(err error) {
		if err != nil && first == nil {
			first = fmt.Errorf("--record: %w", err)
			fmt.Fprintf(r.say, "spoectl tap: %s; traffic goes on until Ctrl-C\n", oneLine(first.Error()))
		}
	}
	for {
		events, lost, ok := r.take()
		if !ok {
			break
		}
		for _, e := range events {
			if e.Frame != nil && first == nil {
				keep(r.write(r.hider.Add(e.Record)))
			}
		}
		keep(r.w.Flush())
		missing += lost
	}
	if first == nil {
		keep(r.write(r.hider.Rest()))
		keep(r.w.Flush())
	}
	if missing > 0 && first == nil {
		first = fmt.Errorf("--record: %d frames and events are missing: the file could not be written in time", missing)
	}
	return first
}

func (r *recorder) write(records []recording.Record) error {
	for _, rec := range records {
		if err := r.w.Write(rec); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) end() error {
	r.close()
	return <-r.ended
}
