package main

import (
	"net/url"
	"strings"
)

// cleanPath returns a request's path as rules compare it: unescaped once, without empty
// segments and without parameters behind ';'. ok is false for a path that programs read
// in different ways, and by which a visitor could have one rule applied and another page
// served: with a segment . or .., a backslash, a NUL or an escape that is none or that
// hides one of these or a slash, also if it is escaped twice.
func cleanPath(path string) (clean string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	if plain(path) {
		return path, true
	}
	if escaped := strings.ToLower(path); strings.Contains(escaped, "%2f") || strings.Contains(escaped, "%5c") {
		return "", false
	}
	path, err := url.PathUnescape(path)
	if err != nil || strings.ContainsAny(path, "\\\x00\r\n") {
		return "", false
	}
	again := strings.ToLower(path)
	for _, hidden := range []string{"%2e", "%2f", "%5c", "%00", "%25"} {
		if strings.Contains(again, hidden) {
			return "", false
		}
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(path[1:], "/") {
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

// plain reports whether cleanPath leaves a path as it is.
func plain(path string) bool {
	return !strings.ContainsAny(path, "%;\\\x00\r\n") && !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// cleanHost returns the name of a Host header in lower case without its port and a dot
// at its end, or "" if it is no name of a host.
func cleanHost(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		if strings.Trim(host[i+1:], "0123456789") != "" {
			return ""
		}
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return ""
	}
	return host
}

// authority returns a Host header that has a clean name with that name and its port.
func authority(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i < len(host)-1 {
		return cleanHost(host) + host[i:]
	}
	return cleanHost(host)
}
