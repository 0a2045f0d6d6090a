package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkNeeds finds arguments that are always NULL, because a line that they need is
// missing.
func (c *checker) checkNeeds(m *syntax.SPOEMessage) {
	for _, s := range c.sendings(m) {
		for _, a := range m.Args {
			if line := c.missing(s, a.Fetch); line != "" {
				c.find(ArgumentAlwaysNull, a.At,
					fmt.Sprintf("the message %q has %s, and %s %s has no %s", m.Name, a.Fetch, s.proxy.Kind, s.proxy.Name, line),
					"HAProxy sends NULL for the argument with each request.",
					fmt.Sprintf("Write %s into %s %s, or remove the argument.", line, s.proxy.Kind, s.proxy.Name))
			}
		}
	}
}

// missing returns the line that a sample needs and a proxy does not have, or "".
func (c *checker) missing(s sending, fetch string) string {
	in := s.proxy
	if in.Kind == "backend" {
		return "" // its frontend may have the line
	}
	has := func(is func(d syntax.Directive) bool) bool { return slices.ContainsFunc(in.All(), is) }
	switch name := samples.Name(fetch); {
	case name == "unique-id" && !has(func(d syntax.Directive) bool { return d.Is("unique-id-format") }):
		return "\"unique-id-format %{+X}o%ci%cp%ts%rt\""
	case counter(fetch) != "" && !tracked(s, counter(fetch)):
		return "rule with \"track-" + counter(fetch) + "\" before it is sent"
	case name == "capture.req.hdr" && !captured(s, "request", fetch):
		return "\"capture request header NAME len N\" for it"
	case name == "capture.res.hdr" && !captured(s, "response", fetch):
		return "\"capture response header NAME len N\" for it"
	case strings.HasPrefix(name, "ssl_c_") && !isNeverNull(fetch) && !has(func(d syntax.Directive) bool {
		return d.Is("bind") && (d.Maybe || slices.ContainsFunc(d.Words, func(w string) bool { return asksForCertificate[w] }))
	}) && has(func(d syntax.Directive) bool { return d.Is("bind") && slices.Contains(d.Words, "ssl") }):
		return "\"bind\" with \"ca-file FILE verify optional\", which asks for a client's certificate"
	case name != "ssl_fc" && (strings.HasPrefix(name, "ssl_fc_") || strings.HasPrefix(name, "ssl_c_") || strings.HasPrefix(name, "ssl_f_")) && !isNeverNull(fetch) && c.hasNoTLS(in):
		return "\"bind\" with \"ssl\""
	}
	return ""
}

// asksForCertificate lists the words of a bind line that may make HAProxy ask for a client
// certificate.
var asksForCertificate = map[string]bool{"verify": true, "crt-list": true, "crt-ignore-err": true, "ca-verify-file": true, "ca-file": true}

// captured reports whether HAProxy captures a header before it sends a message. The sample
// has the header's number. Rules run after the event of their kind.
func captured(s sending, side, fetch string) bool {
	n := 0
	for _, d := range s.proxy.All() {
		rule := d.Is("http-"+side, "capture") || side == "request" && d.Is("tcp-request", "content", "capture")
		if d.Is("capture", side) || d.Is("declare", "capture", side) || rule && (s.rule >= 0 || syntax.RuleStage(s.proxy, &d) < s.stage) {
			n++
		}
	}
	i, err := strconv.Atoi(samples.ArgumentOf(fetch))
	return n > 0 && (err != nil || i < n)
}

// counter returns the counter that a sample reads, such as sc0 of sc0_http_req_rate and of
// sc_http_req_rate(0), or "".
func counter(fetch string) string {
	name, ok := strings.CutPrefix(samples.Name(fetch), "sc")
	switch {
	case !ok || strings.HasSuffix(name, "_tracked"):
	case len(name) > 2 && name[0] >= '0' && name[0] <= '9' && name[1] == '_':
		return "sc" + name[:1]
	case strings.HasPrefix(name, "_"):
		if n := samples.ArgumentOf(fetch); n != "" {
			return "sc" + n
		}
	}
	return ""
}

// tracked reports whether a rule tracks a counter before a message is sent.
func tracked(s sending, counter string) bool {
	for i, d := range s.proxy.All() {
		if !slices.Contains(d.Words, "track-"+counter) {
			continue
		}
		stage := syntax.RuleStage(s.proxy, &d)
		if stage < s.stage || s.rule >= 0 && stage == s.stage && i < len(s.proxy.All())-len(s.proxy.Lines)+s.rule {
			return true
		}
	}
	return false
}

// isNeverNull reports whether a sample without data is false or 0, not NULL.
func isNeverNull(fetch string) bool {
	types := samples.Types(fetch)
	return slices.Contains(types, "BOOL") || slices.Contains(types, "INT64")
}

// hasNoTLS reports whether a proxy takes connections, and none of them over TLS.
func (c *checker) hasNoTLS(in *syntax.Section) bool {
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
