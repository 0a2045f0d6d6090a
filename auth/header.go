package auth

import (
	"encoding/base64"
	"strings"
)

// maxToken is the maximum size of a bearer token, in bytes.
const maxToken = 8 << 10

// Scheme returns the scheme of an Authorization header in lower case: "basic", "bearer".
func Scheme(header string) string {
	scheme, _, _ := strings.Cut(header, " ")
	return strings.ToLower(scheme)
}

// Bearer returns the token of an Authorization header (RFC 6750). ok is false for another
// scheme, and for a text that is not a token.
func Bearer(header string) (token string, ok bool) {
	if Scheme(header) != "bearer" {
		return "", false
	}
	token = strings.TrimSpace(header[len("bearer"):])
	return token, token != "" && len(token) <= maxToken && !strings.ContainsAny(token, " ,\"\\")
}

// Basic returns the name and the password of an Authorization header (RFC 7617). ok is
// false for another scheme, and for a header without a name or without a password.
func Basic(header string) (name, password string, ok bool) {
	if Scheme(header) != "basic" {
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(header[len("basic"):]))
	if err != nil {
		return "", "", false
	}
	name, password, ok = strings.Cut(string(b), ":")
	return name, password, ok && Text(name) != "" && password != ""
}
