package command

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/chart"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type conform struct {
	target
	conformance.Target
	message  string
	args     []string
	contract []string
	cases    []string
	json     bool
	verbose  bool
	chosen   []conformance.Case
}

func newConform() *cobra.Command {
	c := &conform{}
	cmd := &cobra.Command{
		Use:   "conform ADDR",
		Short: "Hold an agent to the wire contract",
		Long: `Test an agent against SPOP as all versions of HAProxy speak it: handshakes,
health checks, NOTIFYs, fragments, garbage, DISCONNECTs. Each case is tried on
connections of its own; afterwards the agent must still serve.

Flags describe the agent; a case that needs a flag which is not set is skipped (--verbose says why). The messages of the contract are those
of conformance.ContractHandler; an agent in another language implements those it
likes, and names them with --contract, or "all".

The exit status is 1 if a case fails.`,
		Example: `  spoectl conform 127.0.0.1:9000
  spoectl conform 127.0.0.1:9000 --contract echo,sleep --cases notify/,hello/ --json`,
		Args: args(1, "ADDR"),
		PreRunE: readsFirst(func(words []string) (err error) {
			if err = c.parse(words[0]); err == nil {
				c.chosen, err = c.prepare()
			}
			return err
		}),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	c.target.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&c.cases, "cases", nil, "try only the cases whose names begin so")
	f.StringVar(&c.message, "message", "", "a `message` that the agent answers at once; default: a name without a handler")
	f.StringArrayVar(&c.args, "arg", nil, "an argument of --message, `name=value` as for ask; may be given several times")
	f.StringSliceVar(&c.contract, "contract", nil, "the `messages` of the contract that the agent has, or all")
	f.Uint32Var(&c.MaxFrameSize, "max-frame-size", 0, "the agent's own limit in `bytes`")
	f.IntVar(&c.MaxPayload, "max-payload", 0, "the longest payload in `bytes` that the agent takes in fragments")
	f.DurationVar(&c.HelloTimeout, "hello-timeout", 0, "the agent's timeout for a hello")
	f.DurationVar(&c.ReadTimeout, "read-timeout", 0, "the agent's timeout for a frame")
	f.DurationVar(&c.WriteTimeout, "write-timeout", 0, "the agent's timeout for a write")
	f.DurationVar(&c.IdleTimeout, "idle-timeout", 0, "the agent's timeout for an idle connection")
	f.BoolVar(&c.NoEmptyACK, "no-empty-ack", false, "the agent puts an action without effect into an ACK that would have none")
	f.DurationVar(&c.Wait, "wait", 5*time.Second, "how long the agent may take for actions that must be immediate")
	f.BoolVar(&c.json, "json", false, "print JSON")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "show all cases, and why some are skipped")
	_ = cmd.RegisterFlagCompletionFunc("contract", cobra.FixedCompletions(append(conformance.ContractMessages(), "all"), cobra.ShellCompDirectiveNoFileComp)) // it is there
	return cmd
}

// prepare completes the target and chooses the cases.
func (c *conform) prepare() ([]conformance.Case, error) {
	c.Target.Network, c.Target.Addr, c.TLS = "", c.name, c.tls
	if len(c.args) > 0 && c.message == "" {
		return nil, errors.New("--arg without --message")
	}
	if c.message != "" {
		words, err := parseArguments(c.args)
		if err != nil {
			return nil, err
		}
		c.Message = spoetest.Msg(c.message, words...)
	}
	known := conformance.ContractMessages()
	for _, m := range c.contract {
		switch {
		case m == "all":
			c.Messages = known
		case !slices.Contains(known, m):
			return nil, fmt.Errorf("--contract: there is no message %q; there are %s", m, strings.Join(known, ", "))
		default:
			c.Messages = append(c.Messages, m)
		}
	}
	if len(c.cases) == 0 {
		return conformance.Suite(), nil
	}
	var cases []conformance.Case
	for _, prefix := range c.cases {
		more := conformance.CasesOf(prefix)
		if len(more) == 0 {
			return nil, fmt.Errorf("--cases: no case begins with %q; they begin with %s", prefix, strings.Join(groups(), ", "))
		}
		cases = append(cases, more...)
	}
	return cases, nil
}

// group is the first part of a case's name.
func group(c conformance.Case) string {
	g, _, _ := strings.Cut(c.Name, "/")
	return g
}

func groups() []string {
	var all []string
	for _, c := range conformance.Suite() {
		if !slices.Contains(all, group(c)+"/") {
			all = append(all, group(c)+"/")
		}
	}
	return all
}

// conformed is the output of conform --json.
type conformed struct {
	Agent   string          `json:"agent"`
	Passed  int             `json:"passed"`
	Failed  int             `json:"failed"`
	Skipped int             `json:"skipped"`
	Took    time.Duration   `json:"took_ns"`
	Cases   []conformedCase `json:"cases"`

	groups map[string]*[3]int // passed, failed, skipped
	order  []string
}

type conformedCase struct {
	Name    string        `json:"name"`
	Row     string        `json:"row"`
	Section string        `json:"section"`
	Result  string        `json:"result"` // passed, failed or skipped
	Why     string        `json:"why,omitempty"`
	Took    time.Duration `json:"took_ns"`
}

var results = [...]string{"passed", "failed", "skipped"}

func (c *conform) run(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	conn, err := c.dialer(nil).Connect(cmd.Context(), "", c.name)
	if err != nil { // every case would say so
		return failure{err}
	}
	_ = conn.Close() // a connection without a hello is a port check
	res := conformed{Agent: c.name, groups: map[string]*[3]int{}}
	begin := time.Now()
	for r := range conformance.Run(cmd.Context(), &c.Target, c.chosen) {
		if cmd.Context().Err() != nil {
			break // the case's error is the same
		}
		kind := res.add(r)
		if !c.json && (c.verbose || kind == 1) {
			last := res.Cases[len(res.Cases)-1]
			fmt.Fprintf(out, "%-7s %s  (%s; SPOE.txt %s)\n", last.Result, last.Name, last.Row, last.Section)
			if last.Why != "" {
				fmt.Fprintf(out, "        %s\n", last.Why)
			}
		}
	}
	res.Took = time.Since(begin)
	if err := printResult(out, c.json, res, func() { res.print(out) }); err != nil {
		return err
	}
	switch {
	case cmd.Context().Err() != nil:
		return failf("interrupted after %d of %d cases", len(res.Cases), len(c.chosen))
	case res.Failed > 0:
		return errSaid
	}
	return nil
}

func (r *conformed) add(result conformance.Result) int {
	kind := 0
	c := conformedCase{Name: result.Name, Row: result.Row, Section: result.Section, Took: result.Took}
	switch {
	case result.Skipped():
		kind = 2
	case result.Err != nil:
		kind = 1
	}
	if result.Err != nil {
		c.Why = oneLine(result.Err.Error())
	}
	c.Result = results[kind]
	*[]*int{&r.Passed, &r.Failed, &r.Skipped}[kind]++
	g := group(result.Case)
	if r.groups[g] == nil {
		r.groups[g] = new([3]int)
		r.order = append(r.order, g)
	}
	r.groups[g][kind]++
	r.Cases = append(r.Cases, c)
	return kind
}

func (r *conformed) print(out io.Writer) {
	fmt.Fprintf(out, "%-14s %7s %7s %7s\n", "", results[0], results[1], results[2])
	for _, g := range r.order {
		n := r.groups[g]
		fmt.Fprintf(out, "%-14s %7d %7d %7d\n", g, n[0], n[1], n[2])
	}
	fmt.Fprintf(out, "%-14s %7d %7d %7d   in %v\n", "all", r.Passed, r.Failed, r.Skipped, chart.Round(r.Took))
	if r.Skipped > 0 {
		fmt.Fprintln(out, "Skipped cases have no result; --verbose says why.")
	}
}
