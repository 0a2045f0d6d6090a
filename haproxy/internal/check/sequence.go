package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkSequence finds a filter-sequence without spoe: HAProxy 3.5 and later then leave
// the engine out.
func (c *checker) checkSequence() {
	for _, m := range c.engine.Messages {
		for _, s := range c.sendings(m) {
			side := "request"
			if s.stage > syntax.StageServerSession {
				side = "response"
			}
			for _, d := range s.proxy.All() {
				if !d.Is("filter-sequence", side) || namesSPOE(d.Words[2:]) {
					continue
				}
				c.find(FilterLeftOut, d,
					fmt.Sprintf("this filter-sequence does not name spoe, and %s %s loads the engine %q", s.proxy.Kind, s.proxy.Name, c.engine.ID()),
					"HAProxy skips the engine: it sends no message, and sets no error.",
					fmt.Sprintf("Write \"spoe\" into the list of \"filter-sequence %s\".", side))
			}
		}
	}
}

// namesSPOE reports whether a list of filters has spoe.
func namesSPOE(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(strings.Split(w, ","), "spoe") })
}
