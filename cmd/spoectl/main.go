// Command spoectl asks SPOE agents, puts load on them, shows what they and
// HAProxy say to each other, and explains it. README.md beside it says how.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/command"
)

func main() {
	// The first interrupt ends what runs, the second ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(command.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
