// Command spoectl asks SPOE agents, puts load on them, shows their frames, and explains
// HAProxy's log. README.md beside it says how.
package main

import (
	"os"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/command"
)

func main() {
	os.Exit(command.Main(command.WithSignals(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
