package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/haproxy"
)

type check struct {
	sources haproxy.Sources
	routes  string
	json    bool
}

func newCheck() *cobra.Command {
	c := &check{}
	cmd := &cobra.Command{
		Use:   "check --routes FILE CONFIG…",
		Short: "Compare HAProxy's configuration with what an agent handles",
		Long: `Compare haproxy.cfg, and the SPOE file that it loads, with an agent's routes, and
report mistakes: messages without a handler, arguments that are missing or of
another type, variables that are never set, timeouts that contradict each other,
bodies that are not there, and more. Each finding has the file and line, its effect
at run time, and the correction. It leaves mistakes that HAProxy itself refuses to
"haproxy -c".

The agent's -print-routes writes the routes (package haproxy); "-" reads them from
standard input. CONFIG… are the files of HAProxy's -f options, in their order.

The exit status is 1 if there is a finding.`,
		Example: `  agent -print-routes | spoectl check --routes - /etc/haproxy/agents.cfg /etc/haproxy/haproxy.cfg
  spoectl check --routes routes.json agents.cfg haproxy.cfg --json`,
		Args: args(1, "CONFIG", "CONFIG…"),
		RunE: func(cmd *cobra.Command, words []string) error {
			c.sources.Configs = words
			return c.run(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.routes, "routes", "r", "", "the agent's routes, a `file` of JSON, or - for standard input")
	f.StringVar(&c.sources.SPOE, "spoe", "", "the SPOE `file`; default: the file that the filter line names")
	f.StringVar(&c.sources.Engine, "engine", "", "the SPOE engine's `name`; default: the engine that sends the agent's messages")
	f.StringVar(&c.sources.Version, "for", "", "HAProxy's `version`, such as 3.2, for .if version_atleast(); default: all branches are read")
	f.BoolVar(&c.json, "json", false, "print a JSON array of findings")
	_ = cmd.MarkFlagFilename("routes", "json") // it is there
	_ = cmd.MarkFlagFilename("spoe")
	return cmd
}

func (c *check) run(in io.Reader, out io.Writer) error {
	if c.routes == "" {
		return errors.New("--routes is missing: write the routes by the agent's -print-routes")
	}
	agent, err := readRoutes(c.routes, in)
	if err != nil {
		return err
	}
	found, err := haproxy.Check(agent, c.sources)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "haproxy: "))
	}
	err = printResult(out, c.json, append([]haproxy.Finding{}, found...), func() { // never null
		for _, f := range found {
			fmt.Fprintf(out, "%s\n\n", f.Text())
		}
		fmt.Fprintln(out, count(len(found), "finding"))
	})
	if err == nil && len(found) > 0 {
		return errSaid
	}
	return err
}

// readRoutes reads routes as -print-routes writes them from a file, or from in for -.
func readRoutes(path string, in io.Reader) (haproxy.Agent, error) {
	name := "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return haproxy.Agent{}, err
		}
		defer f.Close()
		in, name = f, path
	}
	agent, err := haproxy.ReadRoutes(in)
	if err != nil {
		return haproxy.Agent{}, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "haproxy: "))
	}
	return agent, nil
}

// count writes a number of things.
func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
