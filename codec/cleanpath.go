package codec

import (
	"net/url"
	"strings"
)

// CleanPath returns a request's path as rules should compare it: unescaped once, without
// empty segments and without parameters after ';'. ok is false for a path that programs
// read in different ways, so that a rule could check one page and the site serve another.
// Such a path does not begin with a slash, or has a segment . or .., a backslash, a NUL, a
// line break, a wrong escape, or an escape, even a double one, that hides one of these or a
// slash. It allocates nothing for a path that is already clean.
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

// isClean reports whether CleanPath returns a path unchanged.
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
