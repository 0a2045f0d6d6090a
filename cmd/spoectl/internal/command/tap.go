package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/hide"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/spoe"
)

type tap struct {
	target
	secrets
	listen string
	record string
	quiet  bool
	json   bool
	full   bool
	limit  time.Duration
	hidden *hide.Rules // of secrets
}

func newTap() *cobra.Command {
	t := &tap{}
	cmd := &cobra.Command{
		Use:   "tap LISTEN ADDR",
		Short: "Stand between HAProxy and an agent, and show or record the frames",
		Long: `Listen for HAProxy, pass everything on to an agent and back, byte for byte, and
show the frames: > comes from HAProxy, < from the agent. Nothing changes but the
latency. Point HAProxy's server line to LISTEN.

--record writes the frames to a file, for "replay", "bench --recording", "decode"
and tests (package recording). It holds what visitors sent: treat it as a log.

The traffic never waits for the output. Frames that the terminal or the next
program of a pipe does not take in time are not shown, and tap says how many; after
"| head" has ended, tap goes on passing bytes until Ctrl-C.

` + secretsHelp + ` This holds for recordings too.

Ctrl-C ends it gracefully: no connection is accepted any more, NOTIFYs in flight
are answered, then the connections are closed.`,
		Example: `  spoectl tap 127.0.0.1:9001 127.0.0.1:9000
  spoectl tap unix:/run/tap.sock unix:/run/agent/spoa.sock --record today.rec --quiet --for 10m`,
		Args: args(2, "LISTEN", "ADDR"),
		PreRunE: readsFirst(func(words []string) (err error) {
			t.listen = words[0]
			if err = t.parse(words[1]); err == nil {
				t.hidden, err = t.rules()
			}
			return err
		}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if t.limit < 0 {
				return fmt.Errorf("--for %v is negative", t.limit)
			}
			return t.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	t.target.flags(cmd)
	t.timeoutFlag(cmd)
	t.secrets.flags(cmd)
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
	signal.Ignore(syscall.SIGPIPE) // a reader of the output that ends must not end the traffic
	p := &proxy{dial: t.dial, begin: time.Now()}
	fmt.Fprintf(errOut, "spoectl tap: listening on %s for %s; Ctrl-C ends it\n", address(ln), t.name)
	var shown *viewer
	if !t.quiet {
		shown = startViewer(&printer{out: out, json: t.json, limit: limitOf(t.full), hider: hider(t.hidden)}, errOut)
		p.queues = append(p.queues, shown.queue)
	}
	var recorded *recorder
	if w != nil {
		recorded = startRecorder(w, hider(t.hidden), errOut)
		p.queues = append(p.queues, recorded.queue)
	}
	serveErr := p.serve(ctx, ln)
	fmt.Fprintf(errOut, "spoectl tap: %d connections, %d NOTIFYs, %d ACKs\n", p.conns, p.notifies.Load(), p.acks.Load())
	if shown != nil {
		shown.end()
	}
	if recorded != nil {
		err = recorded.end()
	}
	return errors.Join(serveErr, err)
}

func address(ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return "unix:" + ln.Addr().String()
	}
	return ln.Addr().String()
}
