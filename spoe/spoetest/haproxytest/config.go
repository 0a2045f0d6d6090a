package haproxytest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
)

// Config is the configuration of a HAProxy that Start starts.
//
// Config, Rules, Env and each of Files are templates of text/template. In them
//
//	{{addr "http"}}                 127.0.0.1 and a free port, the same wherever that name is asked for
//	{{defaults "http"}}             a defaults section of that mode, with timeouts
//	{{path "spoe.conf"}}            the absolute path of a file beside haproxy.cfg
//	{{.Agent}} {{.Origin}} {{.Data}}  these fields
//	{{if .HAProxy.AtLeast "3.1"}}   depends on the version
//
// The zero value but for Agent and Files["spoe.conf"] is enough for an agent
// that works on requests: see [SimpleConfig].
//
// HAProxy before 2.4 has no .if: of ".if version_atleast(…)" it gets the lines behind .else.
type Config struct {
	// Config is haproxy.cfg; empty means SimpleConfig. HAProxy runs as one
	// process in the foreground: `daemon` has no effect, a `master-worker`
	// line is left out.
	Config string

	// Files are the files beside haproxy.cfg, by name. HAProxy runs in their
	// folder, so `filter spoe engine x config spoe.conf` finds spoe.conf.
	Files map[string]string

	// Agent is the agent's address in the form of a server line:
	// 127.0.0.1:9000, unix@/run/agent.sock, abns@agent.
	Agent string

	// Origin is the address of the site behind HAProxy in the same form.
	// SimpleConfig has a page of its own where it is empty.
	Origin string

	// Rules are lines of SimpleConfig's frontend, after its SPOE filter.
	Rules string

	// Data is any other data for the templates.
	Data any

	// Env is added to HAProxy's environment, as NAME=value: configurations may
	// contain "${NAME-default}".
	Env []string

	// Args are further arguments of the command line, before the -f of Config:
	// "-f", "agents.cfg" loads one of Files first.
	Args []string
}

// SimpleConfig is the haproxy.cfg of a [Config] that has none: a frontend
// with the SPOE filter that spoe.conf describes, Rules after it, and the site
// behind. The engine's name and the agent's backend are read from spoe.conf.
// It logs to the test; add `log global` to spoe.conf to see the lines of SPOE.
const SimpleConfig = `
global
    log stdout format raw local0

{{defaults "http"}}

frontend http
    bind {{addr "http"}}
    log global
    option httplog
    filter spoe engine {{.Engine}} config spoe.conf
{{.Rules}}
    default_backend site

backend site
    server origin {{or .Origin (addr "origin")}}

backend {{.Backend}}
    mode {{if .HAProxy.AtLeast "3.1"}}spop{{else}}tcp{{end}}
    server agent {{.Agent}}
{{- if not .Origin}}

frontend page
    bind {{addr "origin"}}
    http-request return status 200 content-type text/plain string "origin\n"
{{- end}}
`

// ReadConfig reads a configuration as it is shipped and replaces addresses, paths and
// other text that a test must change: oldnew are pairs of old and new text. A text to
// be replaced that is not in the file fails the test.
//
//	haproxytest.ReadConfig(t, "haproxy.cfg", "bind :8080", `bind {{addr "http"}}`)
func ReadConfig(tb testing.TB, name string, oldnew ...string) string {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	text := string(b)
	for pair := range slices.Chunk(oldnew, 2) {
		if len(pair) != 2 {
			tb.Fatalf("ReadConfig: %q has nothing to be replaced by", pair[0])
		}
		if !strings.Contains(text, pair[0]) {
			tb.Fatalf("%s: nothing to replace, there is no %q", name, pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// Names of files that every HAProxy of this package has.
const (
	configFile   = "haproxy.cfg"
	addedFile    = "spoetest.cfg"
	adminSocket  = "admin.sock"
	addedContent = "global\n    stats socket %s level admin expose-fd listeners\n"
)

// render writes haproxy.cfg and the files beside it, and returns the additions
// to the environment. It is called again by a reload, with the same ports.
func (c Config) render(dir string, bin Binary, ports *ports) (env []string, err error) {
	data := struct {
		Config
		HAProxy         Binary
		Engine, Backend string
		Rules           string
	}{Config: c, HAProxy: bin}

	expand := func(name, text string) (string, error) {
		tmpl, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
			"addr": ports.addr,
			"path": func(name string) string { return filepath.Join(dir, name) },
			"defaults": func(mode string) string {
				return "defaults\n    mode " + mode + "\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s"
			},
		}).Parse(text)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		err = tmpl.Execute(&b, data)
		return b.String(), err
	}
	write := func(name, text string) error {
		text, err := expand(name, text)
		if err != nil {
			return err
		}
		if !bin.AtLeast("2.4") {
			text = withoutIf.ReplaceAllString(text, "$1")
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(text), 0o644)
	}

	config := c.Config
	if config == "" {
		config = SimpleConfig
		if data.Engine, data.Backend, err = spoeNames(c.Files["spoe.conf"]); err != nil {
			return nil, err
		}
		if data.Rules, err = expand("Rules", c.Rules); err != nil {
			return nil, err
		}
	}
	config = masterWorker.ReplaceAllString(config, "")
	if err := write(configFile, config); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		if err := write(name, c.Files[name]); err != nil {
			return nil, err
		}
	}
	for _, pair := range c.Env {
		pair, err := expand("Env", pair)
		if err != nil {
			return nil, err
		}
		env = append(env, pair)
	}
	added := fmt.Sprintf(addedContent, filepath.Join(dir, adminSocket))
	return env, os.WriteFile(filepath.Join(dir, addedFile), []byte(added), 0o644)
}

// withoutIf matches an .if about a later version.
var withoutIf = regexp.MustCompile(`(?m)^\.if version_atleast\([^)]*\)\n(?:[^.].*\n|\n)*(?:\.else\n((?:[^.].*\n|\n)*))?\.endif\n`)

// spoeNames reads the engine and the agent's backend from a spoe.conf.
func spoeNames(conf string) (engine, backend string, err error) {
	e, b := engineLine.FindStringSubmatch(conf), backendLine.FindStringSubmatch(conf)
	switch {
	case conf == "":
		return "", "", fmt.Errorf(`SimpleConfig needs Files["spoe.conf"]`)
	case e == nil:
		return "", "", fmt.Errorf("spoe.conf has no [engine] line, which SimpleConfig needs")
	case b == nil:
		return "", "", fmt.Errorf("spoe.conf has no use-backend line, which SimpleConfig needs")
	}
	return e[1], b[1], nil
}

var (
	masterWorker = regexp.MustCompile(`(?m)^[ \t]*master-worker\b.*$`) // -db does not overrule it

	engineLine  = regexp.MustCompile(`(?m)^\s*\[(.+)\]`)
	backendLine = regexp.MustCompile(`(?m)^\s*use-backend\s+(\S+)`)
)
