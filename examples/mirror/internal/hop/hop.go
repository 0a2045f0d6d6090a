// Package hop finds the headers that belong to a connection or to the form of its body, and
// that a copy of a request must not have.
package hop

import (
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// byHop are headers of a connection, not of a request (RFC 9110, 7.6.1). Expect is among
// them, because HAProxy already has the body.
var byHop = []string{
	"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
	"te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect",
}

// Owns reports whether the copy's own connection or body sets the header.
func Owns(name string) bool {
	name = strings.ToLower(name)
	return name == "host" || name == "content-length" || slices.Contains(byHop, name)
}

// Named returns the headers that the header Connection names, in lower case.
func Named(block codec.HeaderBlock) (names []string) {
	for name, value := range block.All() {
		if strings.EqualFold(name, "connection") {
			for word := range strings.SplitSeq(value, ",") {
				names = append(names, strings.ToLower(strings.TrimSpace(word)))
			}
		}
	}
	return names
}
