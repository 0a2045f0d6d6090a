package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/mirror/internal/hop"
)

// headers returns the headers of a copy, and the request's Host. Names keep their
// case, and values of one name their order.
func (t *running) headers(block codec.HeaderBlock) (h http.Header, host string) {
	// nil keeps net/http from adding its own; the request's is in lower case.
	h = http.Header{"User-Agent": nil}
	named := hop.Named(block)
	for name, value := range block.All() {
		lower := strings.ToLower(name)
		switch {
		case lower == "host":
			host = value
		case hop.Owns(lower), slices.Contains(named, lower), t.replaced[lower]:
		default:
			h[name] = append(h[name], value)
		}
	}
	for name, value := range t.Set {
		h[strings.ToLower(name)] = []string{value}
	}
	return h, host
}
