package codec

import "strings"

// A Target is the target of an HTTP request, as in HAProxy's sample url. The samples path
// and pathq are NULL for some of its forms, and url has another form over HTTP/2 than over
// HTTP/1; a Target is the same for both.
type Target struct {
	Scheme    string // of an absolute form, in lower case: "https"; otherwise empty
	Authority string // of an absolute form and of CONNECT, as it came: "example.com:443"
	// Path begins with a slash and is as it came, escapes included. It is "*" for
	// OPTIONS *, "/" for an absolute form without a path, and empty for CONNECT.
	Path  string
	Query string // the text after the first '?'
}

// ParseTarget reads a request's target in each form of RFC 9112 §3.2: origin ("/a?b"),
// absolute ("https://example.com/a?b", the form of HTTP/2), asterisk ("*") and authority
// ("example.com:443", that of CONNECT). It removes a fragment, which a request must not
// have. For every other text it returns the zero Target and an error. The result shares
// target's memory; ParseTarget allocates nothing for a valid target.
func ParseTarget(target string) (Target, error) {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f {
			return Target{}, detail("a request target with white space or a control character")
		}
	}
	target, _, _ = strings.Cut(target, "#")
	if target == "" {
		return Target{}, detail("an empty request target")
	}
	if target == "*" {
		return Target{Path: "*"}, nil
	}
	var t Target
	if rest, query, _ := strings.Cut(target, "?"); target[0] == '/' {
		t.Path, t.Query = rest, query
		return t, nil
	}
	scheme, rest, absolute := strings.Cut(target, "://")
	if !absolute {
		if !isAuthority(target) {
			return Target{}, detail("a request target that is no path, no URL and no authority")
		}
		return Target{Authority: target}, nil
	}
	if !isScheme(scheme) {
		return Target{}, detail("a request target without a scheme before its \"://\"")
	}
	t.Scheme = strings.ToLower(scheme)
	t.Authority, _, _ = strings.Cut(rest, "/")
	t.Authority, _, _ = strings.Cut(t.Authority, "?")
	if !isAuthority(t.Authority) {
		return Target{}, detail("a request target without a host behind its \"://\"")
	}
	t.Path, t.Query, _ = strings.Cut(rest[len(t.Authority):], "?")
	if t.Path == "" {
		t.Path = "/"
	}
	return t, nil
}

// OriginForm returns a request's target without scheme and authority: "/a?b" for
// "https://example.com/a?b", the form of HAProxy's sample url over HTTP/2. The rest is
// unchanged, so that rules see all of it. A target in another form, such as "*" and the
// authority of CONNECT, is returned unchanged.
func OriginForm(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	_, rest, absolute := strings.Cut(target, "://")
	if !absolute {
		return target
	}
	i := strings.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return "/"
	case rest[i] == '?':
		return "/" + rest[i:]
	default:
		return rest[i:]
	}
}

// UnmarshalText reads the target as ParseTarget does, so that a struct's field of type
// Target takes the sample url.
func (t *Target) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTarget(string(text))
	return err
}

// isAuthority reports whether s has only characters of a host and a port. An authority with
// a user name is refused: browsers never send one there, and "site@other" means other.
func isAuthority(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && !strings.ContainsRune("-._~:[]%", rune(c)) {
			return false
		}
	}
	return s != ""
}

func isScheme(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && (i == 0 || c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
