package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkNull finds required arguments that HAProxy sends as NULL for some requests, if
// these requests then pass without a verdict.
func (c *checker) checkNull(m *syntax.SPOEMessage, a *model.Arg, s syntax.SentArg) {
	when := samples.NullFor(s.Fetch)
	// checkOrder looks at variables, checkNeeds at missing lines.
	if !a.Required || when == "" || samples.Name(s.Fetch) == "var" || samples.Name(s.Fetch) == "unique-id" || c.closesOnAbsence() {
		return
	}
	c.find(RequiredNull, s.At,
		fmt.Sprintf("the handler of %q requires %s, and HAProxy sends NULL for %s", m.Name, s.Fetch, when),
		"The handler is not called for such a request, no variable is set, and no rule refuses the request: it passes.",
		"Remove \"required\" from the field: the handler then gets the zero value. Or refuse requests without a verdict, such as by \"http-request deny deny_status 503 unless { var(…) -m found }\".")
}

// closesOnAbsence reports whether a rule refuses requests for which the agent set no
// variable.
func (c *checker) closesOnAbsence() bool {
	return slices.ContainsFunc(c.filters, func(f syntax.Filter) bool {
		return slices.ContainsFunc(f.Proxy.Lines, func(d syntax.Directive) bool {
			return (d.Is("http-request") || d.Is("tcp-request", "content")) && slices.ContainsFunc(d.Words, func(w string) bool { return slices.Contains(refusals, w) }) &&
				(slices.Contains(d.Words, "unless") || strings.Contains(d.Text(), "!")) && (c.readsAnswer(d.Text()) || c.copied(d.Text()))
		})
	})
}
