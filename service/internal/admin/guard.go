package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// guard passes requests with the token: as a bearer token, which Prometheus sends, or
// as the password of any user, for which a browser asks.
//
// Without a token it passes requests for an IP address or for localhost. A stranger's
// page can send a browser to a stranger's name that resolves to 127.0.0.1, and could
// then read the answer.
func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case token == "" && !isLocalName(r.Host):
			say(w, http.StatusForbidden, "ask for this page by an IP address or as localhost, or set admin-token")
		case token != "" && !hasToken(r, token):
			w.Header().Set("WWW-Authenticate", `Basic realm="the admin token is the password"`)
			say(w, http.StatusUnauthorized, "send admin-token: Authorization: Bearer TOKEN")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func hasToken(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, given, ok = r.BasicAuth()
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return ok && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// IsLoopback reports whether only programs on this machine reach an address.
func IsLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
