package criteria

import (
	"fmt"
	"regexp"
	"strings"
)

// Part is a part of a request that distinguishes clients: ip, host, method or path;
// header:NAME, cookie:NAME, claim:NAME of a bearer token; var:NAME, a variable that
// HAProxy or another agent set.
type Part struct{ Kind, Name string }

// samples are HAProxy's sample expressions for each kind; NAME stands for the name.
// Values that may be secret leave HAProxy as hashes.
var samples = map[string]string{
	"ip":     "src",
	"host":   "req.hdr(host),lower",
	"method": "method",
	"path":   "path",
	"header": "req.fhdr(NAME),sha2(256)",
	"cookie": "req.cook(NAME),sha2(256)",
	"claim":  "http_auth_bearer,jwt_payload_query('$.NAME'),sha2(256)",
	"var":    "var(NAME),sha2(256)",
}

// UnmarshalText reads a part.
func (p *Part) UnmarshalText(text []byte) error {
	kind, name, named := strings.Cut(string(text), ":")
	sample, known := samples[kind]
	switch wants := strings.Contains(sample, "NAME"); {
	case !known:
		return fmt.Errorf("%q is unknown: write ip, host, method, path, header:NAME, cookie:NAME, claim:NAME or var:NAME", text)
	case wants && !partName.MatchString(name):
		return fmt.Errorf("%q has no name of letters, digits, '.', '-' and '_': write %s:NAME", text, kind)
	case !wants && named:
		return fmt.Errorf("%q has a name: write %s alone", text, kind)
	}
	*p = Part{kind, name}
	return nil
}

var partName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// MarshalText is the reverse of UnmarshalText.
func (p Part) MarshalText() ([]byte, error) {
	if p.Name == "" {
		return []byte(p.Kind), nil
	}
	return []byte(p.Kind + ":" + p.Name), nil
}

// Arg is the name of the argument that has the part.
func (p Part) Arg() string {
	if p.Name == "" {
		return p.Kind
	}
	return p.Kind + "_" + p.Name
}

// Fetch is the sample expression of the argument.
func (p Part) Fetch() string { return strings.ReplaceAll(samples[p.Kind], "NAME", p.Name) }
