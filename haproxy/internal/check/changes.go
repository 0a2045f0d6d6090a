package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// changing lists the actions that change a sample's value, by sample.
var changing = map[string][]string{
	"set-path":      {"path", "pathq", "url", "base"},
	"replace-path":  {"path", "pathq", "url", "base"},
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

// checkChanges finds rules that change an argument's sample after the message is sent.
// It ignores rules after the first one that reads an answer: they change the request
// for the site.
func (c *checker) checkChanges(m *syntax.SPOEMessage) {
	for _, s := range c.sendings(m) {
		side := "http-request"
		if s.at.Is("http-response") || m.Event == "on-http-response" && s.rule < 0 {
			side = "http-response"
		}
		for _, a := range m.Args {
			at, how := c.changed(s, side, a.Fetch)
			if how == "" {
				continue
			}
			effect, fix := "The agent gets the value that the visitor has sent.", "Put the message into a group, and \"http-request send-spoe-group\" after that rule."
			if at.Is("option") { // it adds the header after all rules
				fix = "Send src, or dst, instead of the header: HAProxy adds the header when it passes the request on, after all rules."
			}
			c.find(ArgumentSetLater, a.At,
				fmt.Sprintf("the message %q has %s, which %q changes after the message is sent (%s:%d)", m.Name, a.Fetch, how, at.File, at.Line), effect, fix)
		}
	}
}

// changed returns the line that changes a sample after a sending, and its action.
func (c *checker) changed(s sending, side, fetch string) (at syntax.Directive, how string) {
	name, arg := samples.Name(fetch), strings.ToLower(samples.ArgumentOf(fetch))
	header := slices.Contains([]string{"req.hdr", "req.fhdr", "hdr", "req.hdr_ip", "hdr_ip", "req.hdr_val", "hdr_val", "res.hdr", "res.fhdr", "shdr"}, name)
	if header && side == "http-request" {
		for _, d := range s.proxy.All() {
			if addedHeader(d) == arg {
				return d, "option " + d.Words[1]
			}
		}
	}
	lines := s.proxy.Lines[s.rule+1:]
	if s.rule < 0 { // rules of a defaults section come first
		lines = s.proxy.All()
	}
	for _, d := range lines {
		if !d.Is(side) || len(d.Words) < 2 {
			continue
		}
		if strings.Contains(d.Text(), "."+c.engine.Prefix+".") {
			return at, "" // later rules change the request for the site
		}
		// The argument of "set-src" and similar actions follows them.
		switch action, _, _ := strings.Cut(d.Words[1], "("); {
		case slices.Contains(changing[action], name):
			return d, d.Words[0] + " " + action
		case header && slices.Contains(headerActions, action) && len(d.Words) > 2 && matches(d, arg):
			return d, d.Words[0] + " " + action + " " + d.Words[2]
		}
	}
	return at, ""
}

// addedHeader returns the header that an option adds to each request, in lower case, or
// "". HAProxy adds it after all rules.
func addedHeader(d syntax.Directive) string {
	if !d.Is("option") || len(d.Words) < 2 || slices.Contains(d.Words, "if-none") {
		return ""
	}
	name := map[string]string{"forwardfor": "x-forwarded-for", "originalto": "x-original-to", "forwarded": "forwarded"}[d.Words[1]]
	if i := slices.Index(d.Words, "header"); i > 0 && i+1 < len(d.Words) && name != "" && d.Words[1] != "forwarded" {
		name = d.Words[i+1]
	}
	return strings.ToLower(name)
}

// matches reports whether a rule that changes headers changes the named one: by name,
// or by del-header's -m.
func matches(d syntax.Directive, header string) bool {
	name, how := strings.ToLower(d.Words[2]), "str"
	if i := slices.Index(d.Words, "-m"); i > 0 && i+1 < len(d.Words) {
		how = d.Words[i+1]
	}
	switch how {
	case "str":
		return name == header
	case "beg":
		return strings.HasPrefix(header, name)
	case "end":
		return strings.HasSuffix(header, name)
	case "sub":
		return strings.Contains(header, name)
	}
	return false // a regular expression
}
