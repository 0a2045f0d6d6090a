package command

import (
	"fmt"
	"io"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/hide"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
)

// recordRoom is the maximum number of bytes of frames that wait to be recorded.
const recordRoom = 64 << 20

// recorder writes a recording.
type recorder struct {
	*queue
	w     *recording.Writer
	hider *hide.Hider
	say   io.Writer
	ended chan error
}

func startRecorder(w *recording.Writer, h *hide.Hider, say io.Writer) *recorder {
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
