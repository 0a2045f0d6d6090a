package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/spoke-go/spoke/service"
)

// Run runs the program with a clock.
func Run(ctx context.Context, now func() time.Time, reload <-chan os.Signal, args, environ []string, stdout, stderr io.Writer) int {
	return agent(now).Run(ctx, service.Process{Args: args, Environ: environ, Reload: reload, Stdout: stdout, Stderr: stderr})
}
