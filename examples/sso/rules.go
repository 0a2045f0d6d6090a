package main

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/auth"
)

// site is a SiteConfig with its provider.
type site struct {
	SiteConfig
	provider *provider
}

// rule returns the rule for a request, or nil. path is clean.
func (s *site) rule(method, path string, from netip.Addr) *RuleConfig {
	for i := range s.Rules {
		if r := &s.Rules[i]; r.matches(method, path, from) {
			return r
		}
	}
	return nil
}

func (r *RuleConfig) matches(method, path string, from netip.Addr) bool {
	return (len(r.Methods) == 0 || slices.Contains(r.Methods, method)) &&
		(len(r.Paths) == 0 || slices.ContainsFunc(r.Paths, func(p string) bool { return r.matchesPath(p, path) })) &&
		(len(r.Networks) == 0 || slices.ContainsFunc(r.Networks, func(n netip.Prefix) bool { return n.Contains(from.Unmap()) }))
}

// matchesPath reports whether path is p or, if p ends with a slash, below it. A rule that
// restricts access ignores the case, because some sites ignore the case of a path.
func (r *RuleConfig) matchesPath(p, path string) bool {
	equal := func(a, b string) bool { return a == b }
	if r.Do != "allow" {
		equal = strings.EqualFold
	}
	if strings.HasSuffix(p, "/") {
		return len(path) >= len(p) && equal(path[:len(p)], p) || r.Do != "allow" && equal(path+"/", p)
	}
	return equal(path, p) || r.Do != "allow" && equal(path, p+"/")
}

// permits reports whether a user has one of the rule's groups and all of its claims.
func (r *RuleConfig) permits(user *auth.User) bool {
	if len(r.Groups) > 0 && !slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(user.Groups, g) }) {
		return false
	}
	for name, want := range r.Claims {
		if !slices.Contains(user.Claims[name], want) {
			return false
		}
	}
	return true
}
