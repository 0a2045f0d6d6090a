package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/haproxy"
)

// envPrefix begins the environment variable of each flag: -log-level is
// IPREP_LOG_LEVEL.
const envPrefix = "IPREP_"

// config is what flags and environment say.
type config struct {
	listen       string
	adminAddr    string // "" for none
	sources      []feed.Source
	poll         time.Duration
	timeout      time.Duration
	shutdown     time.Duration
	logLevel     slog.Level
	logFormat    string
	logDecisions bool
	validate     bool
	version      bool
	half         *haproxy.Flags
}

// parseConfig reads flags, then, for those that were not given, the
// environment. The error is flag.ErrHelp where help was asked for.
func parseConfig(args []string, getenv func(string) string) (config, error) {
	c := config{}
	flags := flag.NewFlagSet("ip-reputation", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints: one line, not the whole help

	sources := func(allow bool) func(string) error {
		return func(text string) error {
			s, err := feed.ParseSource(text, allow)
			c.sources = append(c.sources, s)
			return err
		}
	}
	flags.Func("list", "", sources(false))
	flags.Func("allow", "", sources(true))
	flags.StringVar(&c.listen, "listen", "127.0.0.1:9000", "")
	flags.StringVar(&c.adminAddr, "admin-addr", "127.0.0.1:6060", "")
	flags.DurationVar(&c.poll, "poll", feed.DefaultPoll, "")
	flags.DurationVar(&c.timeout, "timeout", 200*time.Millisecond, "")
	flags.DurationVar(&c.shutdown, "shutdown-timeout", 10*time.Second, "")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "")
	flags.StringVar(&c.logFormat, "log-format", "text", "")
	flags.BoolVar(&c.logDecisions, "log-decisions", false, "")
	flags.BoolVar(&c.validate, "validate", false, "")
	flags.BoolVar(&c.validate, "t", false, "")
	flags.BoolVar(&c.version, "version", false, "")
	c.half = haproxy.AddFlags(flags)

	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if err := fromEnvironment(flags, getenv); err != nil {
		return c, err
	}
	switch {
	case flags.NArg() > 0:
		return c, fmt.Errorf("%q is no flag: lists are given as -list %[1]s", flags.Arg(0))
	case c.logFormat != "text" && c.logFormat != "json":
		return c, fmt.Errorf("-log-format is %q: write text or json", c.logFormat)
	case c.poll <= 0 || c.timeout <= 0 || c.shutdown <= 0:
		return c, errors.New("-poll, -timeout and -shutdown-timeout must be more than 0")
	}
	if c.adminAddr == "off" { // an empty variable in the environment means the default
		c.adminAddr = ""
	}
	if len(c.sources) == 0 {
		c.sources = sampleSources()
	}
	return c, nil
}

// fromEnvironment sets the flags that were not given. Those that may be given
// several times take several values, on lines of their own or parted by ';'.
func fromEnvironment(flags *flag.FlagSet, getenv func(string) string) error {
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	flags.VisitAll(func(f *flag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		text := strings.TrimSpace(getenv(name))
		if given[f.Name] || text == "" {
			return
		}
		values := []string{text}
		if f.Name == "list" || f.Name == "allow" {
			values = strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' })
		}
		for _, value := range values {
			if err := flags.Set(f.Name, strings.TrimSpace(value)); err != nil {
				errs = append(errs, fmt.Errorf("invalid value %q in %s: %w", value, name, err))
			}
		}
	})
	return errors.Join(errs...)
}
