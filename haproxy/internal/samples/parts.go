package samples

import (
	"slices"
	"strings"
)

// The parts of a request whose length a visitor chooses.
const (
	partPath    = "path"
	partQuery   = "query"
	partHeaders = "headers"
	partBody    = "body"
)

// parts are the parts of which a sample has the whole.
var parts = map[string][]string{
	"path": {partPath}, "pathq": {partPath, partQuery}, "url": {partPath, partQuery}, "query": {partQuery},
	"base": {partPath, "headers host"},
	"hdr":  {partHeaders}, "req.hdr": {partHeaders}, "req.fhdr": {partHeaders},
	"req.hdrs": {partHeaders}, "req.hdrs_bin": {partHeaders},
	"req.body": {partBody},
}

// sameLength are converters whose output is as long as their input, or longer.
var sameLength = []string{"lower", "upper", "url_dec", "url_enc", "ltrim", "rtrim", "json", "base64", "hex"}

// Parts returns the parts of a request of which a sample expression has the whole:
// "path", "query", "body", "headers" for all headers, "headers NAME" for one.
func Parts(expr string) []string {
	all := splitExpr(Unquoted(expr))
	for _, converter := range all[1:] {
		if !slices.Contains(sameLength, Name(converter)) {
			return nil // of a bounded or unknown length
		}
	}
	found := parts[Name(all[0])]
	if name := ArgumentOf(all[0]); len(found) == 1 && found[0] == partHeaders && name != "" {
		return []string{partHeaders + " " + strings.ToLower(name)}
	}
	return found
}

// Share reports whether two sample expressions have a part of a request in common.
func Share(a, b string) bool {
	within := func(x, y string) bool { return x == y || x == partHeaders && strings.HasPrefix(y, partHeaders+" ") }
	for _, x := range Parts(a) {
		for _, y := range Parts(b) {
			if within(x, y) || within(y, x) {
				return true
			}
		}
	}
	return false
}
