package write

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// headerName matches names that Config.Headers can have. Other characters of headers
// have a meaning in HAProxy's configuration.
var headerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func (c *Config) checkHeaders() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !headerName.MatchString(name) {
			errs = append(errs, fmt.Errorf("haproxy: Config.Headers: %q is no name of a header: use letters, digits, '-' and '_'", name))
		}
	}
	if len(c.Headers) > maxHeaders {
		errs = append(errs, fmt.Errorf("haproxy: Config.Headers has %d headers, and a rule takes %d at most: set some by Config.Rules", len(c.Headers), maxHeaders))
	}
	if len(c.Headers) > 0 && c.before(2, 6) {
		errs = append(errs, errors.New("haproxy: Config.Headers needs HAProxy 2.6: make Config.Version \"2.6\" or later"))
	}
	return errors.Join(errs...)
}

// maxHeaders is the maximum number of patterns in one rule, in addition to its
// keywords.
const maxHeaders = 50

// headerPattern matches the names that a site may confuse with a header's: programs
// that turn headers into variables (CGI, WSGI, PHP) replace each character that is not
// a letter or a digit by '_'. HAProxy has names in lower case.
func headerPattern(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' {
			b.WriteString("[^a-z0-9]")
		} else {
			b.WriteRune(r)
		}
	}
	return "^" + b.String() + "$"
}

// writeStrip writes the rules that keep a visitor from setting Config.Headers.
func (c *Config) writeStrip(t *text) {
	if len(c.Headers) == 0 {
		return
	}
	var patterns []string
	t.line()
	t.comment("    ", "The agent's answer sets these headers below. Remove headers of these names that a visitor sends, also with '_' for '-', which some sites read as the same name.")
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		pattern := headerPattern(name)
		patterns = append(patterns, pattern)
		t.line("    http-request del-header", pattern, "-m reg")
	}
	t.comment("    ", "A proxy behind this one removes headers that Connection lists.")
	t.line("    http-request deny deny_status 400 if { req.hdr(connection) -m reg -i", strings.Join(patterns, " "), "}")
}

// writeHeaders writes the rules that set Config.Headers.
func (c *Config) writeHeaders(t *text) {
	if len(c.Headers) == 0 {
		return
	}
	t.line()
	t.comment("    ", "The agent's answer, for the site.")
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		v := "var(" + c.fullName("txn", c.Headers[name]) + ")"
		t.line("    http-request set-header", name, "%["+v+"]", "if {", v, "-m found }")
	}
}
