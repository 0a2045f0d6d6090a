package service

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/spoke-go/spoke/service/internal/conf"
	"github.com/spoke-go/spoke/service/internal/deploy"
)

// writeHelp writes the text of -h.
func (p *program[C]) writeHelp(w io.Writer, fs *flag.FlagSet) {
	if p.About != "" {
		fmt.Fprintf(w, "%s\n\n", strings.TrimSpace(p.About))
	}
	fmt.Fprintf(w, "Usage:\n  %s [flags]\n\nSettings:\n", p.Name)
	p.spec.WriteHelp(w)
	fmt.Fprint(w, "\nOther flags:\n")
	fs.VisitAll(func(f *flag.Flag) {
		if p.spec.Has(f.Name) {
			return
		}
		word, usage := flag.UnquoteUsage(f)
		fmt.Fprintln(w, strings.TrimRight("  -"+f.Name+" "+word, " "))
		fmt.Fprint(w, conf.Wrap(usage))
	})
	fmt.Fprintf(w, `  -h
        print this help and exit

A setting has the same name in the file, with a ':' in place of the '-' in front
("log-level: debug"), and in the environment (%[1]sLOG_LEVEL=debug). The command
line takes precedence over the environment, and that over the file. %[1]sCONFIG
names the file, too. In the environment a list has ';' between its values.

SIGHUP and a change of the file make the program read all settings again, except
those with [restart]. If one is wrong, all stay as they are.

Traces and metrics go where OpenTelemetry's variables say, such as
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318. Without OTEL_TRACES_SAMPLER
there are at most ten traces a second. /metrics needs none of these variables.

Exit status: 0 after a clean end, 1 if something failed, 2 if a setting is wrong.
`, p.EnvPrefix)
}

// printDeploy prints one of the files of package deploy.
func (p *program[C]) printDeploy(name string) int {
	text, err := deploy.Print(name, p.Name)
	if err != nil {
		return p.complain(fmt.Errorf("-print-deploy: %w", err))
	}
	fmt.Fprint(p.Stdout, text)
	return 0
}

// complete prints a shell's completion of the flags.
func (p *program[C]) complete(fs *flag.FlagSet, shell string) int {
	switch shell {
	case "zsh":
		fmt.Fprintln(p.Stdout, "autoload -U +X bashcompinit && bashcompinit")
	case "bash":
	default:
		return p.complain(fmt.Errorf("-completion: %q is unknown: write bash or zsh", shell))
	}
	fmt.Fprintf(p.Stdout, "complete -o default -W %q %s\n", "-"+strings.Join(names(fs), " -"), p.Name)
	return 0
}
