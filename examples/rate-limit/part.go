package main

import (
	"fmt"
	"regexp"
	"strings"
)

// part is something of a request that tells clients apart: ip, host, method or path;
// header:NAME, cookie:NAME, claim:NAME of a bearer token; var:NAME, a variable that
// HAProxy or another agent has set.
type part struct{ kind, name string }

// samples are the sample expressions of HAProxy for a kind; NAME stands for the name.
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
func (p *part) UnmarshalText(text []byte) error {
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
	*p = part{kind, name}
	return nil
}

var partName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// MarshalText is the reverse of UnmarshalText.
func (p part) MarshalText() ([]byte, error) {
	if p.name == "" {
		return []byte(p.kind), nil
	}
	return []byte(p.kind + ":" + p.name), nil
}

// arg is the name of the argument that has the part, and fetch what HAProxy takes it from.
func (p part) arg() string {
	if p.name == "" {
		return p.kind
	}
	return p.kind + "_" + p.name
}

func (p part) fetch() string { return strings.ReplaceAll(samples[p.kind], "NAME", p.name) }
