package main

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// identity is the user who sends a request.
type identity struct {
	Subject string              `json:"s"`
	User    string              `json:"u"`
	Mail    string              `json:"m,omitempty"`
	Groups  []string            `json:"g,omitempty"`
	Claims  map[string][]string `json:"c,omitempty"` // the values of claims that rules name
}

// identityOf reads claims. named are the claims that rules look at.
func identityOf(claims map[string]any, userClaim, groupsClaim string, named []string) identity {
	id := identity{Subject: text(claims["sub"]), Claims: make(map[string][]string)}
	if id.User = text(claims[userClaim]); userClaim == "" {
		id.User = text(claims["preferred_username"])
	}
	if id.User == "" && userClaim == "" {
		id.User = id.Subject
	}
	if verified, told := claims["email_verified"].(bool); verified || !told {
		id.Mail = text(claims["email"])
	}
	if groupsClaim == "" {
		groupsClaim = "groups"
	}
	id.Groups = cleanGroups(texts(claims[groupsClaim]))
	for _, name := range named {
		if v, ok := claims[name]; ok {
			id.Claims[name] = texts(v)
		}
		if scope, ok := claims[name].(string); ok && name == "scope" { // RFC 8693 §4.2
			id.Claims[name] = strings.Fields(scope)
		}
	}
	return id
}

// cleanGroups leaves out the groups that a header cannot have: one with a comma would
// be two.
func cleanGroups(groups []string) []string {
	return slices.DeleteFunc(groups, func(g string) bool { return g == "" || strings.Contains(g, ",") })
}

// text returns a claim's value if a header can have it, otherwise "".
func text(v any) string {
	s, _ := v.(string)
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || len(s) > 1024 {
		return ""
	}
	return s
}

func texts(v any) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, text(e))
		}
		return all
	case bool:
		if v {
			return []string{"true"}
		}
		return []string{"false"}
	default:
		return []string{text(v)}
	}
}
