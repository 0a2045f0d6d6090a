package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkRefused finds rules in the agents' backend that refuse HAProxy's connections to the
// agents, or delay them. HAProxy itself opens these connections: they have no client, so
// they have no address, no TLS and no HTTP.
func (c *checker) checkRefused(b *syntax.Section) {
	for _, side := range []string{"tcp-request", "tcp-response"} {
		_, _, delays := b.InspectDelay(side)
		for _, d := range b.All() {
			if !d.Is(side, "content") || len(d.Words) < 3 || d.Maybe {
				continue
			}
			condition, action := condition(b, d), d.Words[2]
			refuses := slices.Contains([]string{"reject", "silent-drop", "close"}, action)
			always := holdsWithoutClient(condition)
			if refuses && always {
				c.find(BackendRefuses, d,
					fmt.Sprintf("\"%s content %s\" in backend %s, which has the agents, refuses HAProxy's own connections to them", side, action, b.Name),
					"HAProxy itself opens these connections, without a client's address: no question has an answer (error 1, from HAProxy 3.1 on 257).",
					"Take this rule out of the backend.")
			}
			if always && (refuses || action == "accept") {
				break // the rules end here
			}
			if delays && waits(condition) {
				c.find(BackendRefuses, d,
					fmt.Sprintf("this rule and \"%s inspect-delay\" in backend %s, which has the agents, keep their connections waiting", side, b.Name),
					"In some versions HAProxy waits for content that does not come: questions have no answer (error 1).",
					fmt.Sprintf("Take this rule and \"%s inspect-delay\" out of the backend.", side))
			}
		}
	}
}

// clientAbsent matches a condition that a connection without a client meets.
var clientAbsent = regexp.MustCompile(`^(?:unless |if !)\{ (?:(?:src|dst)(?:_port|_is_local)?|ssl_fc)[ ,][^{}]*\}$`)

// holdsWithoutClient reports whether a condition holds for each of HAProxy's connections
// to agents.
func holdsWithoutClient(condition string) bool {
	switch condition {
	case "", "if TRUE", "unless FALSE", "if { always_true }", "unless { always_false }":
		return true
	}
	return clientAbsent.MatchString(condition)
}

var waitsForContent = regexp.MustCompile(`[ !](?:WAIT_END|HTTP[0-9._]*|REQ_CONTENT|RDP_COOKIE)(?: |$)|\{ (?:req|res|rep|payload)[._]`)

// waits reports whether a condition may wait for content. An agent sends content, so that
// its length is above 0.
func waits(condition string) bool {
	return waitsForContent.MatchString(condition) && !strings.Contains(condition, "{ res.len gt 0 }")
}
