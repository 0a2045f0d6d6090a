package capture_test

import (
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

// arg is an argument: the sample expression of the configuration, and what it
// gives.
type arg struct {
	name, sample string
	want         codec.Value
}

type message struct {
	name  string
	args  []arg
	event string // with its condition; default: on-frontend-http-request
}

// want is the message that HAProxy is to send.
func (m message) want() golden.Message {
	w := golden.Message{Name: m.name}
	for _, a := range m.args {
		w.Args = append(w.Args, golden.Pair{Name: a.name, Value: a.want})
	}
	return w
}

func wants(ms []message) (ws []golden.Message) {
	for _, m := range ms {
		ws = append(ws, m.want())
	}
	return ws
}

// conf is a spoe.conf.
func (s scenario) conf() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	var names []string
	for _, m := range s.messages {
		names = append(names, m.name)
	}
	line("[golden]")
	line("spoe-agent golden")
	line("    messages %s", strings.Join(names, " "))
	line("    option var-prefix golden")
	line("    timeout hello 5s")
	line("    timeout idle %s", or(s.idle, "30s"))
	line("    timeout processing %s", or(s.wait, "5s"))
	line("    use-backend agents")
	line("    log global")
	for _, m := range s.messages {
		line("")
		line("spoe-message %s", m.name)
		for _, a := range m.args {
			if a.name == "" {
				line("    args %s", a.sample)
			} else {
				line("    args %s=%s", a.name, a.sample)
			}
		}
		line("    event %s", or(m.event, "on-frontend-http-request"))
	}
	return b.String()
}

// haproxyCfg is a haproxy.cfg for the version.
func (s scenario) haproxyCfg(bin haproxytest.Binary) string {
	var b strings.Builder
	line := func(text string) {
		if text != "" {
			b.WriteString(text + "\n")
		}
	}
	line("global")
	line("    log stdout format raw local0")
	line("    nbthread 1")
	if s.bufsize > 0 {
		line(fmt.Sprintf("    tune.bufsize %d", s.bufsize))
	}
	line("\ndefaults")
	line("    mode http")
	line("    timeout connect 5s")
	line("    timeout client 5s")
	line("    timeout server 5s")
	line("\nfrontend http")
	line(`    bind {{addr "http"}}`)
	line("    log global")
	line("    option http-buffer-request")
	if len(s.messages) > 0 {
		line("    filter spoe engine golden config spoe.conf")
	}
	for _, rule := range s.rules {
		line("    " + rule)
	}
	line("    default_backend site")
	line("\nbackend site")
	line(`    server origin {{addr "origin"}}`)
	line("\nfrontend origin")
	line(`    bind {{addr "origin"}}`)
	line("    http-request return status 200")
	line("\nbackend agents")
	if bin.AtLeast("3.1") {
		line("    mode spop")
	} else {
		line("    mode tcp")
	}
	if s.check {
		line("    option spop-check")
		line("    server agent {{.Agent}} check inter 100ms")
	} else {
		line("    server agent {{.Agent}}")
	}
	return b.String()
}

// shown is a configuration as it is shown, with addresses instead of templates.
var shown = strings.NewReplacer(`{{addr "http"}}`, "127.0.0.1:80", `{{addr "origin"}}`, "127.0.0.1:8080", "{{.Agent}}", "127.0.0.1:9000")

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
