package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/internal/interrupt"
	"github.com/spoke-go/spoke/internal/latewriter"
	"github.com/spoke-go/spoke/service/internal/conf"
	"github.com/spoke-go/spoke/service/internal/deploy"
	"github.com/spoke-go/spoke/service/internal/watch"
)

// program is one run of an agent.
type program[C any] struct {
	Agent[C]
	Process
	spec    *conf.Spec
	sources conf.Sources
	files   watch.Files        // of the configuration
	late    *latewriter.Writer // is Stderr, too
	log     *slog.Logger
	level   slog.LevelVar
}

// command has the flags that are not settings.
type command struct {
	showConfig, validate, version bool
	completion, deploy            string
	describes                     bool // a flag of package haproxy was given
	haproxy                       *haproxy.Flags
	ofHAProxy                     map[string]bool // flags by name
}

// Run runs the program until ctx ends, or executes a flag such as -validate. It returns
// the exit status.
func (a Agent[C]) Run(ctx context.Context, proc Process) int {
	a.setDefaults()
	p := &program[C]{Agent: a, Process: proc, late: latewriter.New(proc.Stderr, maxLogWaiting)}
	p.Stderr = p.late
	defer p.late.Flush(logTimeout)
	p.spec = conf.New(a.Name, a.EnvPrefix, &settings[C]{Agent: a.Defaults, Service: a.Service})
	fs, cmd := p.flags()
	err := conf.ParseFlags(fs, p.Args)
	fs.Visit(func(f *flag.Flag) { cmd.describes = cmd.describes || cmd.ofHAProxy[f.Name] })
	switch {
	case errors.Is(err, flag.ErrHelp):
		p.writeHelp(p.Stdout, fs)
		return 0
	case err != nil:
		return p.complain(err)
	case fs.NArg() > 0 && !cmd.describes:
		return p.complain(fmt.Errorf("%q is not a flag: -h lists them", fs.Arg(0)))
	case cmd.version:
		fmt.Fprintln(p.Stdout, a.Name, a.Version)
		return 0
	case cmd.completion != "":
		return p.complete(fs, cmd.completion)
	case cmd.deploy != "":
		return p.printDeploy(cmd.deploy)
	}
	if p.sources.File == "" {
		p.sources.File = p.getenv(a.EnvPrefix + "CONFIG")
	}
	var loaded *conf.Loaded
	err = interrupt.Read(ctx, func() (err error) {
		loaded, err = p.load()
		return err
	})
	if err != nil {
		return p.complain(err)
	}
	if cmd.showConfig {
		if err := loaded.WriteYAML(p.Stdout); err != nil {
			return p.complain(err)
		}
		return 0
	}
	if done, status := p.describe(ctx, loaded, cmd); done {
		return status
	}
	return p.start(ctx, loaded, cmd.validate)
}

// load reads the configuration.
func (p *program[C]) load() (*conf.Loaded, error) {
	p.files.Begin()
	if p.sources.File != "" {
		p.files.Know(p.sources.File)
	}
	return p.spec.Load(p.sources)
}

func (p *program[C]) flags() (*flag.FlagSet, *command) {
	fs, cmd := flag.NewFlagSet(p.Name, flag.ContinueOnError), new(command)
	fs.SetOutput(io.Discard) // the caller prints one line, not the whole help
	p.sources = conf.Sources{Environ: p.Environ, Flags: p.spec.AddFlags(fs)}
	fs.StringVar(&p.sources.File, "config", "", "YAML `FILE` with settings")
	fs.BoolVar(&cmd.validate, "validate", false, "check the configuration, load all that it names, and exit")
	fs.BoolVar(&cmd.validate, "t", false, "the same as -validate")
	fs.BoolVar(&cmd.showConfig, "show-config", false, "print the settings in force as YAML, secrets hidden, and exit")
	fs.BoolVar(&cmd.version, "version", false, "print the version and exit")
	fs.StringVar(&cmd.completion, "completion", "", "print the completion of the flags for a `SHELL`, bash or zsh, and exit")
	fs.StringVar(&cmd.deploy, "print-deploy", "", "print a `FILE` to run the agent with in production, and exit: "+strings.Join(deploy.Names, ", "))
	ours := names(fs)
	cmd.haproxy = haproxy.AddFlags(fs)
	cmd.ofHAProxy = make(map[string]bool)
	for _, name := range names(fs) {
		cmd.ofHAProxy[name] = !slices.Contains(ours, name)
	}
	return fs, cmd
}

func names(fs *flag.FlagSet) (names []string) {
	fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}

func (p *program[C]) getenv(name string) string {
	for _, pair := range p.Environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// complain prints the mistakes in the configuration, one a line.
func (p *program[C]) complain(err error) int {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, line)
	}
	return 2
}

// fail prints the reasons why the agent cannot work, one a line: as plain text, unless
// the log is JSON.
func (p *program[C]) fail(g *generation[C], err error) int {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if g.settings.LogFormat == "json" {
			p.log.Error(line)
			continue
		}
		fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, line)
	}
	return 1
}

func (p *program[C]) newLogger(s *Settings) *slog.Logger {
	p.level.Set(s.LogLevel)
	options := &slog.HandlerOptions{Level: &p.level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(p.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.Stderr, options))
}
