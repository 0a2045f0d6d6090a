package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/chart"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/cmd/spoectl/load"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type bench struct {
	target
	load.Config
	file, recording string
	check           bool
	json            bool
	svg             string
	errorVar        string
	fail            bool
}

// longest is the maximum duration of a run.
const longest = time.Hour

func newBench() *cobra.Command {
	b := &bench{}
	cmd := &cobra.Command{
		Use:   "bench ADDR [MESSAGE name=value…]",
		Short: "Put load on an agent, and measure its latencies",
		Long: `Put load on an agent: so many connections, with so many NOTIFYs in flight on each,
as fast as the agent answers, or at a rate of its own, whether the agent keeps up
or not. Each NOTIFY must be answered exactly once, with its ids; otherwise the run
fails. It needs Linux, and uses one core.

An ACK can say that the agent failed: name the variable that it then sets with
--error-var (router.ErrorVar). bench counts failures, timeouts (the variable is
"timeout") and ACKs without any action apart; with --fail they set the exit status.

With --rate, latencies count from when a NOTIFY was due: NOTIFYs that wait behind a stall count in full. Without, what a stall kept from being sent is added afterwards.
Both correct for coordinated omission.

The messages come from the command line, from the lines of --file, or from a
recording of "spoectl tap"; of several, each is sent in turn.

` + argumentHelp,
		Example: `  spoectl bench 127.0.0.1:9000 ip-rep ip=192.0.2.1
  spoectl bench 127.0.0.1:9000 ip-rep ip=192.0.2.1 --rate 50000 --duration 30s --svg plot.svg
  spoectl bench unix:/run/agent/spoa.sock --recording today.rec --check --count 100000`,
		Args: args(1, "ADDR", "MESSAGE", "name=value…"),
		PreRunE: readsFirst(func(words []string) error {
			if err := b.parse(words[0]); err != nil {
				return err
			}
			return b.messages(words[1:])
		}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.limits(cmd.Flags().Changed("warm-up")); err != nil {
				return err
			}
			return b.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	b.flags(cmd)
	f := cmd.Flags()
	f.IntVarP(&b.Conns, "connections", "c", 8, "connections")
	f.IntVarP(&b.InFlight, "in-flight", "n", 16, "NOTIFYs in flight on each connection, at most; HAProxy has 20")
	f.Float64VarP(&b.Rate, "rate", "r", 0, "send this many NOTIFYs a `second`, on all connections together; 0: as fast as it goes")
	f.DurationVarP(&b.Window, "duration", "d", 10*time.Second, "measure for this long, "+longest.String()+" at most")
	f.DurationVar(&b.Warm, "warm-up", 500*time.Millisecond, "send for this long before measuring; with --count 0")
	f.Uint64Var(&b.Count, "count", 0, "end after so many NOTIFYs; 0: at the end of --duration")
	f.Uint32Var(&b.MaxFrameSize, "frame-size", spoetest.DefaultHello().MaxFrameSize, "offer frames of at most this many `bytes`")
	f.StringVarP(&b.file, "file", "f", "", "send the messages in this `file`: MESSAGE name=value… a line")
	f.StringVar(&b.recording, "recording", "", "send the NOTIFYs of this `file`, which spoectl tap has written")
	f.BoolVar(&b.check, "check", false, "with --recording: each ACK must have the recorded one's actions")
	f.BoolVar(&b.json, "json", false, "print JSON, durations in nanoseconds")
	f.StringVar(&b.errorVar, "error-var", "", "count the ACKs that set this `variable`, such as txn.error, as failures")
	f.BoolVar(&b.fail, "fail", false, "exit with status 1 if an ACK is a failure, a timeout or empty")
	f.StringVar(&b.svg, "svg", "", "write a plot of the latencies to this `file`")
	return cmd
}

// messages takes them from the one place that was named.
func (b *bench) messages(words []string) error {
	sources := 0
	for _, given := range []bool{len(words) > 0, b.file != "", b.recording != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources == 0:
		return errors.New("there is nothing to send: name a MESSAGE, a --file or a --recording")
	case sources > 1:
		return errors.New("MESSAGE, --file and --recording exclude each other")
	case b.check && b.recording == "":
		return errors.New("--check needs the ACKs of a --recording")
	case b.recording != "":
		return b.recorded()
	case b.file != "":
		return b.fromFile()
	}
	return b.add(words)
}

// add adds a message and its arguments.
func (b *bench) add(words []string) error {
	args, err := parseArguments(words[1:])
	if err != nil {
		return err
	}
	payload, err := spoetest.Payload(spoetest.Msg(words[0], args...))
	if err != nil {
		return err
	}
	b.Messages = append(b.Messages, load.Message{Notify: payload})
	return nil
}

func (b *bench) fromFile() error {
	text, err := os.ReadFile(b.file)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words, err := splitWords(line)
		if err == nil {
			err = b.add(words)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", b.file, n, err)
		}
	}
	if len(b.Messages) == 0 {
		return fmt.Errorf("%s: there is no message in it", b.file)
	}
	return nil
}

func (b *bench) recorded() error {
	rec, err := recording.Open(b.recording)
	if err != nil {
		return err
	}
	exchanges, err := rec.Exchanges()
	if err != nil {
		return fmt.Errorf("%s: %w", b.recording, err)
	}
	for _, e := range exchanges {
		if b.check && !e.Acked {
			continue
		}
		b.Messages = append(b.Messages, load.Message{Notify: e.Notify, Ack: e.Ack, Check: b.check})
	}
	if len(b.Messages) == 0 {
		return fmt.Errorf("%s: there is no NOTIFY in it that could be sent", b.recording)
	}
	return nil
}

func (b *bench) limits(warmGiven bool) error {
	switch {
	case b.Conns < 1 || b.InFlight < 1:
		return errors.New("--connections and --in-flight are at least 1")
	case b.Rate < 0:
		return fmt.Errorf("--rate %v is negative", b.Rate)
	case b.Window <= 0 || b.Window > longest:
		return fmt.Errorf("--duration %v is not above 0 and up to %v", b.Window, longest)
	case b.Warm < 0 || b.Warm > longest:
		return fmt.Errorf("--warm-up %v is not from 0 to %v", b.Warm, longest)
	}
	if b.errorVar != "" {
		scope, name, _ := strings.Cut(b.errorVar, ".")
		parsed, known := codec.ParseScope(scope)
		if !known || name == "" {
			return fmt.Errorf("--error-var %q is not a variable: write one such as txn.error, without HAProxy's prefix", b.errorVar)
		}
		b.Failure = &load.FailureVar{Scope: parsed, Name: name}
	}
	if b.Count > 0 && !warmGiven {
		b.Warm = 0
	}
	return nil
}

func (b *bench) run(ctx context.Context, out, errOut io.Writer) error {
	b.Network, b.Addr = b.network, b.addr
	if b.tls != nil {
		b.Dial = b.dial
	}
	screen := terminal(errOut)
	if screen != nil {
		b.Progress = func(p load.Progress) {
			fmt.Fprintf(screen, "\r\x1b[K%4.0f s  %s NOTIFYs/s  p50 %v  p99 %v  max %v", p.Elapsed.Seconds(), thousands(p.Rate),
				chart.Round(p.Latency.Quantile(0.5)), chart.Round(p.Latency.Quantile(0.99)), chart.Round(p.Latency.Max()))
		}
	}
	r, err := load.Pipeline(ctx, b.Config)
	if screen != nil {
		fmt.Fprint(screen, "\r\x1b[K")
	}
	if err != nil {
		return failure{err}
	}
	if r.Acks == 0 {
		return failf("no NOTIFY was answered within the time that is measured")
	}
	if r.Disconnect != nil {
		fmt.Fprintf(errOut, "spoectl bench: after the run: %s\n", oneLine(r.Disconnect.Error()))
	}
	res := b.result(r)
	if b.svg != "" {
		if err := os.WriteFile(b.svg, []byte(res.plot()), 0o666); err != nil { //nolint:gosec // a plot is no secret
			return err
		}
	}
	if err := printResult(out, b.json, res, func() { res.print(out) }); err != nil {
		return err
	}
	if b.fail && r.Outcomes != (load.Outcomes{}) {
		return errSaid
	}
	return nil
}

// terminal returns the terminal that w writes to, or nil.
func terminal(w io.Writer) io.Writer {
	if s, ok := w.(safeWriter); ok {
		w = s.w
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}
