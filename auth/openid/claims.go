package openid

import (
	"strings"

	"github.com/spoke-go/spoke/auth"
)

// Claims are the content of a token, as JSON decodes it.
type Claims map[string]any

// Text returns a claim if it is text that can be in a header, otherwise "".
func (c Claims) Text(name string) string {
	s, _ := c[name].(string)
	return auth.Text(s)
}

// Texts returns the values of a claim: one, or those of a list.
func (c Claims) Texts(name string) []string {
	switch v := c[name].(type) {
	case []any:
		var all []string
		for _, e := range v {
			s, _ := e.(string)
			all = append(all, auth.Text(s))
		}
		return all
	case bool:
		if v {
			return []string{"true"}
		}
		return []string{"false"}
	default:
		return []string{c.Text(name)}
	}
}

// User returns the user that claims are about. Its Name is empty if they do not name one.
func (p *Provider) User(c Claims) auth.User {
	user := auth.User{Subject: c.Text("sub"), Name: c.Text(p.UserClaim), Groups: auth.Groups(c.Texts(p.GroupsClaim)), Claims: make(map[string][]string)}
	if p.UserClaim == "" {
		user.Name = c.Text("preferred_username")
		if user.Name == "" {
			user.Name = user.Subject
		}
	}
	if verified, told := c["email_verified"].(bool); verified || !told {
		user.Mail = c.Text("email")
	}
	for _, name := range p.Claims {
		if _, ok := c[name]; ok {
			user.Claims[name] = c.Texts(name)
		}
		if scope, ok := c[name].(string); ok && name == "scope" { // RFC 8693 §4.2
			user.Claims[name] = strings.Fields(scope)
		}
	}
	return user
}
