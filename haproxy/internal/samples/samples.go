package samples

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
	"github.com/spoke-go/spoke/router"
)

// Text has HAProxy's samples and converters, as `haproxy -dKsmp` and `-dKcnv` of 2.6, 3.0,
// 3.2 and 3.4 print them; a test compares the text with them (-update writes it). A line is
// "fetch NAME WHEN TYPE…" or "conv NAME TYPE…", with all types that some version has. WHEN
// are the events at which all versions with the sample take it for an argument, in letters:
// c for on-client-session, q for those of requests, s for on-server-session, r for those of
// responses; "-" for none.
//
//go:embed samples.txt
var Text string

// samples are the types by name.
var samples = sync.OnceValues(func() (fetches map[string]fetch, converters map[string][]string) {
	fetches, converters = map[string]fetch{}, map[string][]string{}
	for line := range strings.Lines(Text) {
		w := strings.Fields(line)
		switch {
		case len(w) < 3 || w[0] == "#":
		case w[0] == "fetch":
			fetches[w[1]] = fetch{w[2], w[3:]}
		default:
			converters[w[1]] = w[2:]
		}
	}
	return fetches, converters
})

// otherwise has the types that HAProxy really sends for samples for which it lists other
// types.
var otherwise = map[string][]string{
	"req.hdrs": {"str"}, "res.hdrs": {"str"}, // not bin
	"protobuf": {"any"}, "ungrpc": {"any"}, // a field's own type, if one is named
}

type fetch struct {
	when  string
	types []string
}

// On reports whether HAProxy has a sample on an event. It reports true for a sample
// that is not in the table: HAProxy may know more.
func On(expr string, e router.Event) bool {
	fetches, _ := samples()
	f, ok := fetches[Name(Unquoted(expr))]
	return !ok || strings.Contains(f.when, moments[e])
}

// moments are the letters of Text.
var moments = map[router.Event]string{
	router.OnClientSession:       "c",
	router.OnFrontendTCPRequest:  "q",
	router.OnFrontendHTTPRequest: "q",
	router.OnBackendTCPRequest:   "q",
	router.OnBackendHTTPRequest:  "q",
	router.OnServerSession:       "s",
	router.OnTCPResponse:         "r",
	router.OnHTTPResponse:        "r",
}

// Unquoted returns a sample without its quotes, as HAProxy reads it.
func Unquoted(fetch string) string {
	if w, err := syntax.OneWord(fetch); err == nil {
		return w
	}
	return fetch
}

// sent are the SPOP types as which HAProxy sends a sample.
var sent = map[string][]string{
	"bool": {"BOOL"}, "sint": {"INT64"}, "ipv4": {"IPV4"}, "ipv6": {"IPV6"}, "addr": {"IPV4", "IPV6"},
	"str": {"STRING"}, "meth": {"STRING"}, "bin": {"BINARY"},
}

// Types returns the SPOP types as which a sample expression can be sent, or nil if they are
// unknown.
func Types(expr string) []string {
	fetches, converters := samples()
	parts := splitExpr(expr)
	types := fetches[Name(parts[0])].types
	if o, ok := otherwise[Name(parts[0])]; ok {
		types = o
	}
	for _, part := range parts[1:] {
		out, ok := converters[Name(part)]
		if o, told := otherwise[Name(part)]; told {
			out = o
		}
		switch {
		case !ok:
			return nil
		case slices.Contains(out, "same"): // the output has the input's type
		case Name(part) == "bytes" && (slices.Contains(types, "str") || slices.Contains(types, "meth")):
			types = []string{"str"} // a part of a text is a text
		case Name(part) == "bytes" && (len(types) == 0 || slices.Contains(types, "any")):
			types = []string{"str", "bin"}
		case mayBeBool(types) && slices.Contains(out, "sint"):
			types = []string{"bool", "sint"} // arithmetic leaves the type of a bool
		default:
			types = out
		}
	}
	set := map[string]bool{}
	for _, t := range types {
		names, ok := sent[t]
		if !ok {
			return nil
		}
		for _, n := range names {
			set[n] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// mayBeBool reports whether a sample of these types can be a bool. No type means an unknown
// one, such as that of a variable.
func mayBeBool(types []string) bool {
	return len(types) == 0 || slices.Contains(types, "any") || slices.Contains(types, "bool")
}

// splitExpr splits an expression into its sample and its converters, at commas
// outside of parentheses.
func splitExpr(expr string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(expr) {
		switch expr[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts, from = append(parts, expr[from:i]), i+1
			}
		}
	}
	return append(parts, expr[from:])
}

// Name returns the name of an expression's sample.
func Name(fetch string) string {
	i := strings.IndexAny(fetch, "(,")
	if i < 0 {
		return fetch
	}
	return fetch[:i]
}

// FetchesBody reports whether a sample expression reads the body of a request ("req.")
// or a response ("res.").
func FetchesBody(fetch, side string) bool {
	name := Name(fetch)
	return name == side+"body" || name == side+"body_param" || name == side+"body_len"
}
