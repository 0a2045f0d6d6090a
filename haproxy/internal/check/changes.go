package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// changing has the actions that change what samples read, by those samples.
var changing = map[string][]string{
	"set-path":      {"path", "pathq", "url", "base", "capture.req.uri"},
	"replace-path":  {"path", "pathq", "url", "base", "capture.req.uri"},
	"set-pathq":     {"path", "pathq", "query", "url", "base"},
	"replace-pathq": {"path", "pathq", "query", "url", "base"},
	"set-uri":       {"path", "pathq", "query", "url", "base"},
	"replace-uri":   {"path", "pathq", "query", "url", "base"},
	"normalize-uri": {"path", "pathq", "query", "url", "base"},
	"set-query":     {"query", "pathq", "url", "url_param", "urlp"},
	"set-method":    {"method"},
	"set-src":       {"src"},
	"set-src-port":  {"src_port"},
	"set-dst":       {"dst"},
	"set-dst-port":  {"dst_port"},
}

// headerActions change the header that is their argument.
var headerActions = []string{"set-header", "add-header", "replace-header", "replace-value", "del-header"}

// checkChanges finds rules that change what an argument reads after the message is
// sent. A rule behind the first one that goes by an answer changes the request for
// the site, and is none of those.
func (c *checker) checkChanges(m *syntax.SPOEMessage) {
	for _, s := range c.sendings(m) {
		side := "http-request"
		if s.at.Is("http-response") || m.Event == "on-http-response" && s.rule < 0 {
			side = "http-response"
		}
		for _, a := range m.Args {
			if at, how := c.changed(s, side, a.Fetch); how != "" {
				c.find(ArgumentSetLater, a.At,
					fmt.Sprintf("the message %q has %s, which %q changes after the message is sent (%s:%d)", m.Name, a.Fetch, how, at.File, at.Line),
					"The agent gets what the visitor has sent.",
					"Send the message by a rule behind that one (a group, and \"http-request send-spoe-group\").")
			}
		}
	}
}

// changed returns the line that changes a sample behind a sending, and what it does.
func (c *checker) changed(s sending, side, fetch string) (at syntax.Directive, how string) {
	name, arg := samples.Name(fetch), strings.ToLower(samples.ArgumentOf(fetch))
	header := slices.Contains([]string{"req.hdr", "req.fhdr", "hdr", "req.hdr_ip", "hdr_ip", "req.hdr_val", "hdr_val", "res.hdr", "res.fhdr", "shdr"}, name)
	from := s.rule + 1
	if header && arg == "x-forwarded-for" && side == "http-request" {
		for _, d := range s.proxy.All() {
			if d.Is("option", "forwardfor") && !slices.Contains(d.Words, "if-none") {
				return d, "option forwardfor"
			}
		}
	}
	for _, d := range s.proxy.Lines[from:] {
		if !d.Is(side) || len(d.Words) < 2 {
			continue
		}
		if strings.Contains(d.Text(), "."+c.engine.Prefix+".") {
			return at, "" // the request is for the site from here on
		}
		// "set-src" and the like have their argument behind them.
		switch action, _, _ := strings.Cut(d.Words[1], "("); {
		case slices.Contains(changing[action], name):
			return d, d.Words[0] + " " + action
		case header && slices.Contains(headerActions, action) && len(d.Words) > 2 && strings.EqualFold(d.Words[2], arg) && !slices.Contains(d.Words, "-m"):
			return d, d.Words[0] + " " + action + " " + d.Words[2]
		}
	}
	return at, ""
}
