package command

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/show"
	"github.com/spoke-go/spoke/codec"
)

func newReplay() *cobra.Command {
	t := &target{}
	var rec *recording.Recording
	var asJSON, pace bool
	var ignore []string
	cmd := &cobra.Command{
		Use:   "replay FILE ADDR",
		Short: "Send the NOTIFYs of a recording again, and compare the ACKs",
		Long: `Send the NOTIFYs of a recording of "spoectl tap" to an agent, one after the other,
on as many connections as they came on and with the same ids, and compare the
actions of the ACKs with the recorded ones. Integers of another type are the same
to HAProxy, and here.

The exit status is 1 if one of them differs.`,
		Example: "  spoectl replay today.rec 127.0.0.1:9000",
		Args:    args(2, "FILE", "ADDR"),
		PreRunE: readsFirst(func(words []string) (err error) {
			if err = t.parse(words[1]); err == nil {
				rec, err = recording.Open(words[0])
			}
			return err
		}),
		RunE: func(cmd *cobra.Command, words []string) error {
			if n, err := rec.Exchanges(); err != nil || len(n) == 0 {
				return fmt.Errorf("%s: there is no NOTIFY in it that could be sent", words[0])
			}
			var r replayed
			begin := time.Now()
			out := cmd.OutOrStdout()
			err := recording.Replay(cmd.Context(), t.dialer(nil), "", t.name, rec, pace, ignore, func(o recording.Outcome) {
				r.add(o)
				if !asJSON {
					r.print(out, o)
				}
			})
			if err != nil {
				return failure{err}
			}
			r.Took = time.Since(begin)
			err = printResult(out, asJSON, r, func() {
				fmt.Fprintf(out, "%d NOTIFYs: %d answered the same, %d different or not, %d not compared\n", r.Notifies, r.Same, r.Different, r.Skipped)
			})
			if err == nil && r.Different > 0 {
				return errSaid
			}
			return err
		},
	}
	t.flags(cmd)
	t.timeoutFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringSliceVar(&ignore, "ignore", nil, "do not compare these `variables`, such as txn.request_id")
	cmd.Flags().BoolVar(&pace, "pace", false, "send no NOTIFY before its recorded time")
	return cmd
}

// replayed is the output of replay --json.
type replayed struct {
	Notifies  int           `json:"notifies"`
	Same      int           `json:"same"`
	Different int           `json:"different"`
	Skipped   int           `json:"skipped"`
	Took      time.Duration `json:"took_ns"`
	Problems  []difference  `json:"problems,omitempty"` // the first 100
}

type difference struct {
	Connection int           `json:"connection"`
	StreamID   uint64        `json:"stream_id"`
	FrameID    uint64        `json:"frame_id"`
	Problem    string        `json:"problem"`
	Recorded   []show.Action `json:"recorded"`
	Now        []show.Action `json:"now"`
}

const maxProblems = 100

func (r *replayed) add(o recording.Outcome) {
	r.Notifies++
	switch {
	case o.Err != nil:
		r.Different++
		if len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, difference{
				Connection: o.Conn, StreamID: o.Stream, FrameID: o.Frame, Problem: oneLine(o.Err.Error()),
				Recorded: actions(o.Ack), Now: actions(o.Got),
			})
		}
	case o.Skip != "":
		r.Skipped++
	default:
		r.Same++
	}
}

func actions(payload []byte) []show.Action {
	all, _ := codec.ParseActions(payload) // the readable part; the problem is reported beside it
	return show.ActionsOf(all)
}

func (r *replayed) print(out io.Writer, o recording.Outcome) {
	where := fmt.Sprintf("%.6f #%d stream %d frame %d", o.At.Seconds(), o.Conn, o.Stream, o.Frame)
	switch {
	case o.Err == nil && o.Skip != "":
		fmt.Fprintf(out, "%s: not compared: %s\n", where, o.Skip)
	case o.Err != nil && o.Got == nil && r.Different <= maxProblems:
		fmt.Fprintf(out, "%s: %s\n", where, oneLine(o.Err.Error()))
	case o.Err != nil && r.Different <= maxProblems:
		fmt.Fprintf(out, "%s: another answer\n", where)
		for _, a := range actions(o.Ack) {
			fmt.Fprintf(out, "  - %s\n", a.Text(shortened))
		}
		for _, a := range actions(o.Got) {
			fmt.Fprintf(out, "  + %s\n", a.Text(shortened))
		}
	}
}
