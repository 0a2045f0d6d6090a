package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/chart"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/show"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type ask struct {
	target
	hello     bool
	json      bool
	full      bool
	frameSize uint32
	message   spoetest.Message
}

func newAsk() *cobra.Command {
	a := &ask{}
	cmd := &cobra.Command{
		Use:   "ask ADDR MESSAGE [name=value…]",
		Short: "Send an agent one message, and print the variables that come back",
		Long: "Send an agent one message as HAProxy would, and print the variables that come\nback and the time that took.\n\n" +
			argumentHelp + "\n\nThe exit status is 1 if the agent does not answer, or answers what HAProxy would\nnot take.",
		Example: `  spoectl ask 127.0.0.1:9000 ip-rep ip=192.0.2.1
  spoectl ask unix:/run/agent/spoa.sock check method=GET port:uint32=443 body:bin=@body.json
  spoectl ask agent.example:9000 ip-rep =2001:db8::1 --ca ca.pem --hello`,
		Args: args(2, "ADDR", "MESSAGE", "name=value…"),
		PreRunE: readsFirst(func(words []string) (err error) {
			if err = a.parse(words[0]); err == nil {
				a.message.Name = words[1]
				a.message.Args, err = parseArguments(words[2:])
			}
			return err
		}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.frameSize < codec.MinMaxFrameSize {
				return fmt.Errorf("--frame-size %d: the least is %d", a.frameSize, codec.MinMaxFrameSize)
			}
			return a.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	a.flags(cmd)
	a.timeoutFlag(cmd)
	f := cmd.Flags()
	f.BoolVar(&a.hello, "hello", false, "show the handshake as well")
	f.BoolVar(&a.json, "json", false, "print JSON")
	f.BoolVar(&a.full, "full", false, "do not shorten long strings")
	f.Uint32Var(&a.frameSize, "frame-size", spoetest.DefaultHello().MaxFrameSize, "offer frames of at most this many `bytes`")
	return cmd
}

// answer is the output of --json.
type answer struct {
	Agent   string        `json:"agent"`
	Message string        `json:"message"`
	Hello   []show.Frame  `json:"hello,omitempty"`
	Took    time.Duration `json:"took_ns"`
	Vars    []show.Action `json:"vars"`
	Error   string        `json:"error,omitempty"`
}

func (a *ask) run(ctx context.Context, out io.Writer) error {
	payload, err := spoetest.Payload(a.message)
	if err != nil {
		return err
	}
	hello := spoetest.DefaultHello()
	hello.MaxFrameSize = a.frameSize
	c, err := a.dialer(&hello).Dial(ctx, "", a.name)
	if err != nil {
		return failure{err}
	}
	defer c.Close()
	ans := answer{Agent: a.name, Message: a.message.Name}
	if a.hello {
		ans.Hello = handshake(hello, c.AgentHello())
	}
	ack, err := a.send(ctx, c, payload, &ans)
	if err != nil {
		return failure{err}
	}
	actions, _ := codec.ParseActions(ack.Payload) // Vars reports the mistake
	ans.Vars = show.ActionsOf(actions)
	if _, err := ack.Vars(); err != nil {
		ans.Error = oneLine(err.Error())
	}
	if err := printResult(out, a.json, ans, func() { a.print(out, ans) }); err != nil || ans.Error == "" {
		return err
	}
	if a.json {
		return errSaid
	}
	return failure{errors.New(ans.Error)}
}

func (a *ask) send(ctx context.Context, c *spoetest.Client, payload []byte, ans *answer) (spoetest.Ack, error) {
	id := spoetest.ID{Stream: 1, Frame: 1}
	frames, err := recording.Frames(c.AgentHello(), id, payload)
	if err != nil {
		return spoetest.Ack{}, err
	}
	begin := time.Now()
	if err := c.WriteFrames(ctx, frames...); err != nil {
		return spoetest.Ack{}, err
	}
	ack, err := c.Ack(ctx, id)
	ans.Took = time.Since(begin)
	return ack, err
}

// handshake has the frames before the message.
func handshake(h spoetest.Hello, a codec.AgentHello) []show.Frame {
	frames := []codec.Frame{
		spoetest.HelloFrame(h.Append(nil)),
		{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: a.Append(nil)},
	}
	var shown []show.Frame
	for _, f := range frames {
		shown = append(shown, new(show.Decoder).Decode(codec.AppendFrame(nil, f)[codec.LengthSize:]))
	}
	return shown
}

func (a *ask) print(out io.Writer, ans answer) {
	limit := limitOf(a.full)
	for _, f := range ans.Hello {
		fmt.Fprint(out, f.Text(limit))
	}
	for _, v := range ans.Vars {
		fmt.Fprintln(out, v.Text(limit))
	}
	if len(ans.Vars) == 0 {
		fmt.Fprintln(out, "no variables: the agent set none, or does not know the message")
	}
	fmt.Fprintf(out, "answered in %v\n", chart.Round(ans.Took))
}

// shortened is the number of bytes of a string that are shown.
const shortened = 200

func limitOf(full bool) int {
	if full {
		return show.Full
	}
	return shortened
}

// printResult prints v as JSON, or calls text, which prints it for people.
func printResult(out io.Writer, asJSON bool, v any, text func()) error {
	if !asJSON {
		text()
		return nil
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
