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
		Args:  args(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, out := versions(), cmd.OutOrStdout()
			return printResult(out, asJSON, v, func() {
				fmt.Fprintf(out, "spoectl %s (SPOP %s, %s, %s)\n", v.Spoectl, v.SPOP, v.Go, v.Platform)
			})
		},
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
