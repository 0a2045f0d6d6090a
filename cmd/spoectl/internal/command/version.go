package command

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/codec"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  args(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions()
			if asJSON {
				return printJSON(cmd.OutOrStdout(), v)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "spoectl %s (SPOP %s, %s, %s)\n", v.Spoectl, v.SPOP, v.Go, v.Platform)
			return nil
		},
	}
	cmd.Args = func(_ *cobra.Command, got []string) error {
		if len(got) > 0 {
			return fmt.Errorf("%q is one argument too many", got[0])
		}
		return nil
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

type version struct {
	Spoectl  string `json:"spoectl"`
	SPOP     string `json:"spop"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versions() version {
	v := version{Spoectl: "(devel)", SPOP: codec.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v.Spoectl = info.Main.Version
	}
	return v
}
