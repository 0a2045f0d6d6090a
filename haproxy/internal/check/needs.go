package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkNeeds finds arguments that are never there, as the line that they need is
// missing.
func (c *checker) checkNeeds(m *syntax.SPOEMessage) {
	for _, s := range c.sendings(m) {
		for _, a := range m.Args {
			if line := c.missing(s.proxy, a.Fetch); line != "" {
				c.find(ArgumentAlwaysNull, a.At,
					fmt.Sprintf("the message %q has %s, and %s %s has no %s", m.Name, a.Fetch, s.proxy.Kind, s.proxy.Name, line),
					"HAProxy sends NULL for the argument, with each request.",
					fmt.Sprintf("Write %s into %s %s, or take the argument out.", line, s.proxy.Kind, s.proxy.Name))
			}
		}
	}
}

// missing returns the line that a sample needs and a proxy does not have, or "".
func (c *checker) missing(in *syntax.Section, fetch string) string {
	if in.Kind == "backend" {
		return "" // its frontend may have the line
	}
	has := func(is func(d syntax.Directive) bool) bool { return slices.ContainsFunc(in.All(), is) }
	switch name := samples.Name(fetch); {
	case name == "unique-id" && !has(func(d syntax.Directive) bool { return d.Is("unique-id-format") }):
		return "\"unique-id-format %{+X}o%ci%cp%ts%rt\""
	case name == "capture.req.hdr" && !has(func(d syntax.Directive) bool {
		return d.Is("capture", "request") || d.Is("declare", "capture", "request") || d.Is("http-request", "capture")
	}):
		return "\"capture request header NAME len N\""
	case name == "capture.res.hdr" && !has(func(d syntax.Directive) bool {
		return d.Is("capture", "response") || d.Is("declare", "capture", "response") || d.Is("http-response", "capture")
	}):
		return "\"capture response header NAME len N\""
	case name != "ssl_fc" && (strings.HasPrefix(name, "ssl_fc_") || strings.HasPrefix(name, "ssl_c_") || strings.HasPrefix(name, "ssl_f_")) && !boolean(fetch) && c.plain(in):
		return "\"bind\" with \"ssl\""
	}
	return ""
}

// boolean reports whether a sample is one that is false, or 0, where there is
// nothing.
func boolean(fetch string) bool {
	types := samples.Types(fetch)
	return slices.Contains(types, "BOOL") || slices.Contains(types, "INT64")
}

// plain reports whether a proxy takes connections, and none of them over TLS.
func (c *checker) plain(in *syntax.Section) bool {
	binds := 0
	for _, d := range in.All() {
		if !d.Is("bind") {
			continue
		}
		binds++
		if slices.Contains(d.Words, "ssl") || slices.Contains(d.Words, "accept-proxy") || d.Maybe {
			return false
		}
	}
	return binds > 0
}
