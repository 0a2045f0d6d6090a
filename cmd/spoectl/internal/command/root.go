// Package command has spoectl's commands, one a file.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/internal/safetext"
)

// The exit statuses.
const (
	ok    = 0
	no    = 1 // the agent failed
	usage = 2 // the command line, or a file, cannot be understood
)

// failure is an error of the agent's, rather than of the command line.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func failf(format string, args ...any) error { return failure{fmt.Errorf(format, args...)} }

// errSaid is the error of a command whose output reported the problem.
var errSaid = failure{errors.New("")}

// Main runs spoectl with these arguments and returns its exit status.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	out, errOut = safeWriter{out}, safeWriter{errOut}
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	var f failure
	switch {
	case err == nil:
		return ok
	case errors.As(err, &f):
		if text := err.Error(); text != "" {
			fmt.Fprintf(errOut, "%s: %s\n", cmd.CommandPath(), oneLine(text))
		}
		return no
	default:
		fmt.Fprintf(errOut, "%s: %s\n", cmd.CommandPath(), oneLine(err.Error()))
		return usage
	}
}

// longestLine bounds an error, in bytes: an agent can put megabytes of text into a
// DISCONNECT.
const longestLine = 4096

// oneLine returns an error's text as one line that is safe to show.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "spoetest: "), "\n\n") // cobra adds suggestions
	return safetext.Clip(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "), longestLine)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "spoectl",
		Short: "Ask SPOE agents, load them, and see the frames between HAProxy and them",
		Long: `spoectl is a tool for authors and operators of SPOE agents in any language: it asks an agent as HAProxy would, puts load on it, shows the frames between the two, and explains HAProxy's log.

An address is as on HAProxy's server lines: host:port, unix@/path or /path,
abns@name, abnsz@name, ipv4@… and ipv6@…; unix:/path and unix:@name work as well.

Exit status: 0 for success, 1 if the agent did not do what the command expects,
2 if the command line or a file cannot be understood.`,
		Example: `  spoectl ask 127.0.0.1:9000 ip-rep ip=192.0.2.1
  spoectl bench 127.0.0.1:9000 ip-rep ip=192.0.2.1 --duration 5s
  spoectl tap 127.0.0.1:9001 127.0.0.1:9000 --record today.rec
  spoectl explain 257
  agent -print-routes | spoectl check --routes - agents.cfg haproxy.cfg`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w (--help says which flags there are)", err)
	})
	root.AddCommand(newAsk(), newBench(), readsOnly(newDecode()), newTap(), newReplay(), readsOnly(newExplain()), newConform(), readsOnly(newCheck()), newVersion())
	return root
}

// args has cobra want arguments by name: the first least of names must be there.
func args(least int, names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, got []string) error {
		switch {
		case len(got) < least:
			return fmt.Errorf("%s is missing (--help says more)", names[len(got)])
		case len(got) > len(names) && !strings.HasSuffix(strings.Join(names, ""), "…"):
			return fmt.Errorf("%q is one argument too many", got[len(names)])
		}
		return nil
	}
}
