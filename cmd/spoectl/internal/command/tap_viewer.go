package command

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// showRoom is the maximum number of bytes of frames that wait to be shown.
const showRoom = 16 << 20

// showPatience is the time that the end of tap waits for output that is not read.
const showPatience = time.Second

// viewer shows events. It may get stuck in a write for as long as it likes.
type viewer struct {
	*queue
	out     *printer
	say     io.Writer
	missing atomic.Int64 // events that were not shown
	taken   atomic.Int64 // events taken from the queue and not yet shown
	ended   chan struct{}
}

func startViewer(p *printer, say io.Writer) *viewer {
	s := &viewer{queue: newQueue(showRoom), out: p, say: say, ended: make(chan struct{})}
	go s.run() // ends with the queue, unless a write is stuck: then with the process
	return s
}

func (s *viewer) run() {
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

func (s *viewer) show(e event) error {
	if e.Frame == nil {
		return s.out.event(e.At, e.Conn, e.text, e.ended)
	}
	return s.out.frame(e.Record)
}

func (s *viewer) complain(err error) {
	if errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(s.say, "spoectl tap: the output has been closed; traffic goes on until Ctrl-C")
		return
	}
	fmt.Fprintf(s.say, "spoectl tap: the output cannot be written: %s; traffic goes on until Ctrl-C\n", oneLine(err.Error()))
}

// end waits for the output for a moment, and says how much of it is missing.
func (s *viewer) end() {
	s.close()
	select {
	case <-s.ended:
	case <-time.After(showPatience):
	}
	if n := s.missing.Load() + s.taken.Load() + int64(s.left()); n > 0 {
		fmt.Fprintf(s.say, "spoectl tap: %d frames and events were not shown: the output was not read in time\n", n)
	}
}
