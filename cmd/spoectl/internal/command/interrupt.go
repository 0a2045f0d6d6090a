package command

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/internal/interrupt"
)

// WithSignals returns a context that the first interrupt or SIGTERM ends. The second
// ends the process.
func WithSignals() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// interruptible returns what f returns, which reads files, or a failure as soon as ctx
// ends.
func interruptible(ctx context.Context, f func() error) error {
	err := interrupt.Read(ctx, f)
	if errors.Is(err, interrupt.Err) {
		return failure{err}
	}
	return err
}

// readsFirst makes a command's PreRunE of f, which reads the command line's words and
// files, and may be interrupted.
func readsFirst(f func(words []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, words []string) error {
		return interruptible(cmd.Context(), func() error { return f(words) })
	}
}

// readsOnly makes all of a command interruptible.
func readsOnly(cmd *cobra.Command) *cobra.Command {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		return interruptible(cmd.Context(), func() error { return run(cmd, words) })
	}
	return cmd
}
