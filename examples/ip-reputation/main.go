// Command ip-reputation is an SPOE agent that tells HAProxy how far an IP
// address can be trusted, from lists as they are published. Its -h explains it,
// haproxy.cfg beside this file shows the other side; it prints the rest of that,
// spoe.conf and agents.cfg, itself (-print-config).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/haproxy"
)

func main() {
	// Registered before anything else: a SIGHUP during start must not kill.
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	os.Exit(run(ctx, reload, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is main with its surroundings handed in. It returns the exit status.
func run(ctx context.Context, reload <-chan os.Signal, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	c, err := parseConfig(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "ip-reputation: %v (-h for help)\n", err)
		return 2
	case c.version:
		fmt.Fprintln(stdout, "ip-reputation", version())
		return 0
	}
	if done, err := printHalf(c, stdout); done {
		switch {
		case errors.Is(err, haproxy.ErrFindings): // they are printed
			return 1
		case err != nil:
			fmt.Fprintln(stderr, "ip-reputation:", err)
			return 2
		}
		return 0
	}
	log := newLogger(c, stderr)
	lists := &feed.Set{Sources: c.sources, Logger: log, Poll: c.poll}
	if c.validate {
		err = lists.Load(ctx)
	} else {
		err = serve(ctx, reload, c, lists, log, stdout)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		return fail(c, log, stderr, err)
	case c.validate && err == nil:
		fmt.Fprintf(stdout, "ip-reputation: all %d files are good, %d different prefixes\n", len(c.sources), lists.Table().Size())
	default:
		log.Info("stopped")
	}
	return 0
}

// fail says, a line for each, what keeps the agent from working: in plain words
// unless something reads the log that takes only JSON.
func fail(c config, log *slog.Logger, stderr io.Writer, err error) int {
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSuffix(line, "\n")
		if c.logFormat == "json" {
			log.Error(line)
			continue
		}
		fmt.Fprintln(stderr, "ip-reputation:", line)
	}
	return 1
}

func newLogger(c config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
