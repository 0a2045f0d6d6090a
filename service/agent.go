package service

import (
	"context"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/service/internal/conf"
	"github.com/spoke-go/spoke/spoe"
)

// Agent describes a program. C is a struct with the agent's own settings; use struct{}
// for an agent without any.
type Agent[C any] struct {
	// Name is the program's name, such as ip-reputation. It must be set.
	Name string
	// About is the text above the flags in -h.
	About string
	// Version is the version that -version prints and telemetry reports. Default: the
	// version of the main module, as the go command recorded it.
	Version string
	// EnvPrefix begins the environment variables of the settings. Default: the Name
	// in upper case, as in IP_REPUTATION_.
	EnvPrefix string

	// Defaults are the defaults of the agent's settings.
	Defaults C
	// Service are the defaults of the service's own settings; fields that are zero
	// keep those in [Settings].
	Service Settings

	// Setup registers routes and prepares everything that they need. It runs once,
	// before the agent listens; its ctx ends with SIGTERM. It must be set.
	//
	// It also runs for flags such as -print-config, which need only the routes:
	// Setup.Derive, Setup.Watch and Setup.Go then do nothing.
	Setup func(ctx context.Context, s *Setup[C]) error

	// Middleware changes the chain that Setup.Router begins with: Trace, Metrics,
	// Timeout, Recover, see [middleware.Default]. The providers and the timeout come
	// from the service.
	Middleware middleware.DefaultConfig
	// HAProxy has the settings of -print-config that are not in the routes. Default: an
	// engine of the agent's Name, and the first address of -listen.
	HAProxy haproxy.Config
	// Limits has fields of spoe.Agent, such as MaxInFlight. The service overwrites
	// Handler, Logger and fields that have a setting.
	Limits *spoe.Agent
}

// Main runs the program with the process's arguments, and ends the process. Its
// status is 0 after a clean end, 1 if something failed, 2 if the configuration is
// wrong.
func Main[C any](a Agent[C]) {
	// First of all: a SIGHUP during the start must not kill the program.
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // the log's reader may end; its lines are then lost
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	os.Exit(a.Run(ctx, Process{Args: os.Args[1:], Environ: os.Environ(), Reload: reload, Stdout: os.Stdout, Stderr: os.Stderr}))
}

// Process has the program's arguments, environment and outputs. Tests make their own.
type Process struct {
	Args           []string // without the program's name
	Environ        []string // as os.Environ; variables of OpenTelemetry and systemd are always the process's own
	Reload         <-chan os.Signal
	Stdout, Stderr io.Writer
}

// Secret is a setting that no log, error or -show-config shows; its method Reveal
// returns it. The text file:/run/secrets/token stands for the content of that file.
type Secret = conf.Secret

// NewSecret returns a secret with that value.
func NewSecret(value string) Secret { return conf.NewSecret(value) }

// Wrong returns an error about a setting, such as lists[1].score, for the Validate
// method of a settings struct:
//
//	func (c Config) Validate() error {
//		if c.Burst < c.Rate {
//			return service.Wrong("burst", "%d is less than rate: write %d or more", c.Burst, c.Rate)
//		}
//		return nil
//	}
//
// The program adds the place of the setting: agent.yaml:7. Structs inside of the
// agent's settings can have the method, too. errors.Join reports several mistakes.
func Wrong(key, format string, args ...any) error { return conf.Wrong(key, format, args...) }

var notInNames = regexp.MustCompile(`[^A-Z0-9]+`)

func (a *Agent[C]) setDefaults() {
	if a.Name == "" || a.Setup == nil {
		panic("service: Agent.Name and Agent.Setup must be set")
	}
	if a.EnvPrefix == "" {
		a.EnvPrefix = notInNames.ReplaceAllString(strings.ToUpper(a.Name), "_") + "_"
	}
	if a.Version == "" {
		a.Version = "(unknown)"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			a.Version = info.Main.Version
		}
	}
	a.Service = a.Service.withDefaults()
}
