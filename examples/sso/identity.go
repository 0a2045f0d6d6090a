package main

import (
	"strings"

	"github.com/spoke-go/spoke/auth"
)

// identityOf reads claims. named are the claims that rules look at.
func identityOf(claims map[string]any, userClaim, groupsClaim string, named []string) auth.User {
	id := auth.User{Subject: text(claims["sub"]), Claims: make(map[string][]string)}
	if id.Name = text(claims[userClaim]); userClaim == "" {
		id.Name = text(claims["preferred_username"])
	}
	if id.Name == "" && userClaim == "" {
		id.Name = id.Subject
	}
	if verified, told := claims["email_verified"].(bool); verified || !told {
		id.Mail = text(claims["email"])
	}
	if groupsClaim == "" {
		groupsClaim = "groups"
	}
	id.Groups = auth.Groups(texts(claims[groupsClaim]))
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

// text returns a claim's value if a header can have it, otherwise "".
func text(v any) string {
	s, _ := v.(string)
	return auth.Text(s)
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
