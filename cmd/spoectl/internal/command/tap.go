package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/spoe"
)

type tap struct {
	target
	listen string
	record string
	quiet  bool
	json   bool
	full   bool
	limit  time.Duration
}

func newTap() *cobra.Command {
	t := &tap{target: target{defaultForTimeout: 5 * time.Second}}
	cmd := &cobra.Command{
		Use:   "tap LISTEN ADDR",
		Short: "Stand between HAProxy and an agent, and show or record the frames",
		Long: `Listen for HAProxy, pass everything on to an agent and back, byte for byte, and
show the frames: > comes from HAProxy, < from the agent. Nothing changes but the
latency. Point HAProxy's server line to LISTEN.

--record writes the frames to a file, for "replay", "bench --recording", "decode"
and tests (package recording). It holds what visitors sent: treat it as a log.

Ctrl-C ends it gracefully: no connection is accepted any more, NOTIFYs in flight
are answered, then the connections are closed.`,
		Example: `  spoectl tap 127.0.0.1:9001 127.0.0.1:9000
  spoectl tap unix:/run/tap.sock unix:/run/agent/spoa.sock --record today.rec --quiet --for 10m`,
		Args: args(2, "LISTEN", "ADDR"),
		RunE: func(cmd *cobra.Command, words []string) error {
			t.listen = words[0]
			if err := t.parse(words[1]); err != nil {
				return err
			}
			if t.limit < 0 {
				return fmt.Errorf("--for %v is negative", t.limit)
			}
			return t.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	t.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&t.record, "record", "", "write a recording to this `file`, which must not be there yet")
	f.BoolVarP(&t.quiet, "quiet", "q", false, "do not show the frames")
	f.BoolVar(&t.json, "json", false, "print a line of JSON a frame")
	f.BoolVar(&t.full, "full", false, "do not shorten long strings")
	f.DurationVar(&t.limit, "for", 0, "end after this time; 0: with Ctrl-C")
	return cmd
}

func (t *tap) run(ctx context.Context, out, errOut io.Writer) (err error) {
	if t.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.limit)
		defer cancel()
	}
	ln, err := spoe.Listen(t.listen)
	if err != nil {
		return errors.New(oneLine(err.Error()))
	}
	var w *recording.Writer
	if t.record != "" {
		f, err := os.OpenFile(t.record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			ln.Close()
			return fmt.Errorf("--record: %w", err)
		}
		defer f.Close()
		w = recording.NewWriter(f, time.Now().UTC().Format(time.RFC3339)+" "+t.listen+" -> "+t.name)
	}
	p := &proxy{dial: t.dial, begin: time.Now(), events: make(chan event, 4096), silent: t.quiet && w == nil}
	fmt.Fprintf(errOut, "spoectl tap: listening on %s for %s; Ctrl-C ends it\n", address(ln), t.name)

	printed := make(chan error, 1)
	go func() { // ends with the events, which end with serve
		printed <- t.consume(p.events, w, &printer{out: out, json: t.json, limit: limitOf(t.full)})
	}()
	serveErr := p.serve(ctx, ln)
	close(p.events)
	err = errors.Join(serveErr, <-printed)
	fmt.Fprintf(errOut, "spoectl tap: %d connections, %d NOTIFYs, %d ACKs\n", p.conns, p.notifies.Load(), p.acks.Load())
	return err
}

func address(ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return "unix:" + ln.Addr().String()
	}
	return ln.Addr().String()
}

// consume shows and records what the connections tell. It goes on to the end in
// any case, so that nobody waits for it.
func (t *tap) consume(events <-chan event, w *recording.Writer, p *printer) (first error) {
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for e := range events {
		if e.frame == nil {
			if !t.quiet {
				keep(p.event(e.at, e.conn, e.text, e.ended))
			}
			continue
		}
		r := recording.Record{At: e.at, Conn: e.conn, ByAgent: e.byAgent, Frame: e.frame}
		if w != nil {
			keep(w.Write(r))
			if len(events) == 0 {
				keep(w.Flush())
			}
		}
		if !t.quiet {
			keep(p.frame(r))
		}
	}
	if w != nil {
		keep(w.Flush())
	}
	return first
}
