package main

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// pattern is a path, in which * stands for any text, with '/' or without.
type pattern string

// UnmarshalText reads a pattern.
func (p *pattern) UnmarshalText(text []byte) error {
	if !strings.HasPrefix(string(text), "/") && !strings.HasPrefix(string(text), "*") {
		return fmt.Errorf("%q is no path: write one that begins with '/' or '*', such as /api/*", text)
	}
	*p = pattern(text)
	return nil
}

// MarshalText is the reverse of UnmarshalText.
func (p pattern) MarshalText() ([]byte, error) { return []byte(p), nil }

// matches reports whether a path that is clean matches, with a '/' at its end or without:
// sites take both for the same.
func (p pattern) matches(path string) bool { return p.match(path) || p.match(path+"/") }

func (p pattern) match(path string) bool {
	pieces := strings.Split(string(p), "*")
	last := len(pieces) - 1
	rest, ok := strings.CutPrefix(path, pieces[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, piece := range pieces[1:last] {
		_, after, found := strings.Cut(rest, piece)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, pieces[last])
}

// clean returns the path that a site takes a path for: without %-encoding, empty
// segments and dots. A limit on /login is one on //login and /%6cogin, too.
func clean(raw string) string {
	if plain, err := url.PathUnescape(raw); err == nil {
		raw = plain
	}
	return path.Clean("/" + raw)
}
