package haproxy

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/router"
)

// Parse parses the program's flags, as flag.Parse does, with these in addition:
//
//	-print-config[=spoe|backend|frontend|site]  print HAProxy's configuration
//	-write-config DIR                      write all of it as files; with -up-to-date compare them
//	-print-routes                          print the routes as JSON, for spoectl check
//	-check-config agents.cfg,haproxy.cfg   check files that are there
//
// If one of them is given, Parse executes it and ends the program: with status 0, 1 if
// it found mistakes, or 2 if it failed. Call Parse after the last Handle. If the routes
// depend on flags, or the program has its own FlagSet, use [AddFlags] instead.
func Parse(r *router.Router, c Config) {
	f := AddFlags(flag.CommandLine)
	flag.Parse()
	switch done, err := f.Run(os.Stdout, r, c); {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, ErrFindings) || errors.Is(err, ErrOutOfDate) {
			os.Exit(1)
		}
		os.Exit(2)
	case done:
		os.Exit(0)
	}
}

// ErrFindings is the error of [Flags.Run] if -check-config finds mistakes.
var ErrFindings = errors.New("haproxy: the configuration does not fit the agent")

// Flags are the flags of [AddFlags].
type Flags struct {
	fs     *flag.FlagSet
	config printed
	routes bool
	check  string
	write  string
	only   bool // -up-to-date: compare, and write nothing
	agents string
}

// AddFlags adds -print-config, -write-config, -up-to-date, -haproxy-agents,
// -print-routes and -check-config to fs.
func AddFlags(fs *flag.FlagSet) *Flags {
	f := &Flags{fs: fs}
	fs.Var(&f.config, "print-config", "print HAProxy's configuration and exit: all of it or, as in -print-config=spoe, spoe, backend, frontend or site")
	fs.StringVar(&f.write, "write-config", "", "write HAProxy's configuration as files into this `folder` and exit: spoe.conf, agents.cfg, frontend.txt and, if there are lines for the site's backends, site.txt")
	fs.BoolVar(&f.only, "up-to-date", false, "with -write-config: write nothing, and end with status 1 if a file differs")
	fs.StringVar(&f.agents, "haproxy-agents", "", "with -print-config or -write-config: the `addresses` of the agents as HAProxy's server lines have them, separated by commas")
	fs.BoolVar(&f.routes, "print-routes", false, "print the routes as JSON, for spoectl check, and exit")
	fs.StringVar(&f.check, "check-config", "", "check HAProxy's configuration in these `files`, separated by commas, in the order in which HAProxy reads them, and exit")
	return f
}

// Run executes the flags, after fs.Parse; done is false if the command line has none of
// them.
func (f *Flags) Run(out io.Writer, r *router.Router, c Config) (done bool, err error) {
	if f.agents != "" {
		c.Agents = strings.Split(f.agents, ",")
	}
	given := f.config != "" || f.routes || f.check != "" || f.write != ""
	switch word := f.fs.Arg(0); {
	case given && word != "" && f.check != "":
		return true, fmt.Errorf("haproxy: %q is left over: -check-config takes files with commas between them, -check-config agents.cfg,haproxy.cfg", word)
	case given && word != "":
		return true, fmt.Errorf("haproxy: %q is left over: write -print-config=spoe with a '='", word)
	case f.only && f.write == "":
		return true, errors.New("haproxy: -up-to-date needs -write-config DIR")
	case f.agents != "" && f.write == "" && f.config == "":
		return true, errors.New("haproxy: -haproxy-agents needs -print-config or -write-config DIR")
	case f.write != "":
		return true, f.writeConfig(out, Describe(r), c)
	case f.config != "":
		return true, f.printConfig(out, Describe(r), c)
	case f.routes:
		return true, describeFor(r, c).WriteRoutes(out)
	case f.check != "":
		return true, f.checkConfig(out, describeFor(r, c), c)
	}
	return false, nil
}

// describeFor is Describe with the facts about the agent from the server lines.
func describeFor(r *router.Router, c Config) Agent {
	a := Describe(r)
	if options := strings.Fields(c.ServerOptions); len(options) > 0 {
		tls := slices.Contains(options, "ssl")
		a.TLS = &tls
		a.AcceptProxy = slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "send-proxy") })
	}
	return a
}

func (f *Flags) printConfig(out io.Writer, a Agent, c Config) error {
	files, err := Write(a, c)
	if err != nil {
		return err
	}
	switch f.config {
	case "spoe":
		_, err = io.WriteString(out, files.SPOE)
	case "backend":
		_, err = io.WriteString(out, files.Backend)
	case "frontend":
		_, err = io.WriteString(out, files.Frontend)
	case "site":
		_, err = io.WriteString(out, files.Site)
	default:
		_, err = fmt.Fprintf(out, "# -------- the SPOE file: -print-config=spoe > spoe.conf --------\n\n%s\n"+
			"# -------- the agents, a file beside haproxy.cfg: -print-config=backend > agents.cfg --------\n\n%s\n"+
			"# -------- lines for the frontend in haproxy.cfg: -print-config=frontend --------\n\n%s",
			files.SPOE, files.Backend, files.Frontend)
		if err == nil && files.Site != "" {
			_, err = fmt.Fprintf(out, "\n# -------- lines for the site's backends in haproxy.cfg: -print-config=site --------\n\n%s", files.Site)
		}
	}
	return err
}

func (f *Flags) writeConfig(out io.Writer, a Agent, c Config) error {
	files, err := Write(a, c)
	if err != nil {
		return err
	}
	if !f.only {
		return files.WriteDir(f.write)
	}
	names, err := files.OutOfDate(f.write)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(out, name, "differs from the agent's output"); err != nil {
			return err
		}
	}
	if len(names) > 0 {
		return ErrOutOfDate
	}
	return nil
}

func (f *Flags) checkConfig(out io.Writer, a Agent, c Config) error {
	findings, err := Check(a, Sources{Configs: strings.Split(f.check, ","), Engine: c.Engine, Version: c.Version})
	if err != nil {
		return err
	}
	for _, x := range findings {
		if _, err := fmt.Fprintf(out, "%s\n\n", x.Text()); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return ErrFindings
	}
	return nil
}

// printed is the value of -print-config.
type printed string

func (p *printed) String() string   { return string(*p) }
func (p *printed) IsBoolFlag() bool { return true } // it needs no value

func (p *printed) Set(s string) error {
	switch s {
	case "true", "all":
		*p = "all"
	case "false":
		*p = ""
	case "spoe", "backend", "frontend", "site":
		*p = printed(s)
	default:
		return fmt.Errorf("%q is none of spoe, backend, frontend, site and all", s)
	}
	return nil
}
