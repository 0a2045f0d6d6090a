package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// hopByHop are headers of a connection, not of a request (RFC 9110, 7.6.1). The body
// is there: there is nothing to expect.
var hopByHop = []string{
	"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
	"te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect",
}

// ours reports whether a copy has the header from its own connection and body.
func ours(name string) bool {
	name = strings.ToLower(name)
	return name == "host" || name == "content-length" || slices.Contains(hopByHop, name)
}

// headers returns the headers of a copy, and the request's Host. Names keep their
// case, and values of one name their order.
func (t *running) headers(block codec.HeaderBlock) (h http.Header, host string) {
	// Without a value, net/http adds none of its own; the request's is in lower case.
	h = http.Header{"User-Agent": nil}
	named := connectionNames(block)
	for name, value := range block.All() {
		lower := strings.ToLower(name)
		switch {
		case lower == "host":
			host = value
		case ours(lower), slices.Contains(named, lower), t.replaced[lower]:
		default:
			h[name] = append(h[name], value)
		}
	}
	for name, value := range t.Set {
		h[strings.ToLower(name)] = []string{value}
	}
	return h, host
}

// connectionNames are the headers that the header Connection names, in lower case.
func connectionNames(block codec.HeaderBlock) (names []string) {
	for name, value := range block.All() {
		if strings.EqualFold(name, "connection") {
			for word := range strings.SplitSeq(value, ",") {
				names = append(names, strings.ToLower(strings.TrimSpace(word)))
			}
		}
	}
	return names
}
