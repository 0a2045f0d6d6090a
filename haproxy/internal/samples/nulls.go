package samples

import "strings"

// NullFor describes the requests for which HAProxy sends a sample expression as NULL,
// or returns "" for none. A test compares it with real HAProxies.
func NullFor(expr string) string {
	name := Name(Unquoted(expr))
	if n, ok := nulls[name]; ok {
		return n
	}
	for _, p := range nullPrefixes {
		if strings.HasPrefix(name, p.prefix) && !strings.HasSuffix(name, "_cnt") {
			return p.when
		}
	}
	return ""
}

const (
	noPath   = "OPTIONS * and CONNECT, and up to HAProxy 2.6 also for GET * and GET http://host"
	noHeader = "requests without the header"
	noCookie = "requests without the cookie"
	noParam  = "requests without the parameter"
	noTLS    = "connections without TLS"
)

// nulls has the samples that can be NULL, by name.
var nulls = map[string]string{
	"path":           noPath,
	"pathq":          noPath,
	"query":          "requests without a '?'",
	"url_param":      noParam,
	"urlp":           noParam,
	"req.body_param": noParam,
	"url_ip":         "requests whose URL has no address",
	"url_port":       "requests whose URL has no address",
	"unique-id":      "frontends without unique-id-format",
	"so_name":        "bind lines without a name",
	"var":            "requests for which the variable is not set",
}

// nullPrefixes has beginnings of samples that are NULL for the same reason.
var nullPrefixes = []struct{ prefix, when string }{
	{"req.hdr_ip", noHeader},
	{"req.hdrs", ""},
	{"req.hdr_names", ""},
	{"req.hdr", noHeader},
	{"req.fhdr", noHeader},
	{"hdr", noHeader},
	{"req.cook", noCookie},
	{"cook", noCookie},
	{"ssl_fc_has", ""},
	{"ssl_fc_is", ""},
	{"ssl_fc_", noTLS},
	{"ssl_c_", noTLS},
	{"capture.", "requests of which nothing was captured"},
}
