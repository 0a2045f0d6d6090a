package codec

import (
	"net/url"
	"strings"
)

// CleanPath returns a request's path as rules should compare it: unescaped once, without
// empty segments and without parameters behind ';'. ok is false for a path that programs
// read in different ways, so that a rule for one page would be applied and another page be
// served: a path without a slash in front, with a segment . or .., a backslash, a NUL or a
// line break, with a wrong escape, and with an escape that hides one of these or a slash,
// even if it is escaped twice. It allocates nothing for a path that is clean already.
func CleanPath(path string) (clean string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	if isClean(path) {
		return path, true
	}
	if containsFold(path, "%2f", "%5c") {
		return "", false
	}
	path, err := url.PathUnescape(path)
	if err != nil || strings.ContainsAny(path, "\\\x00\r\n") || containsFold(path, "%2e", "%2f", "%5c", "%00", "%25") {
		return "", false
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		segment, _, _ = strings.Cut(segment, ";")
		if segment == "." || segment == ".." {
			return "", false
		}
		if segment != "" {
			b.WriteString("/" + segment)
		}
	}
	if strings.HasSuffix(path, "/") {
		b.WriteByte('/')
	}
	return b.String(), true
}

// isClean reports whether CleanPath leaves a path as it is.
func isClean(path string) bool {
	return !strings.ContainsAny(path, "%;\\\x00\r\n") && !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// containsFold reports whether s contains one of the parts, which are in lower case.
func containsFold(s string, parts ...string) bool {
	s = strings.ToLower(s)
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
