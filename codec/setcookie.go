package codec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxCookie is the maximum size of a cookie in browsers, its name and value together, in
// bytes: they silently drop a longer one (RFC 6265bis §5.6).
const MaxCookie = 4096

// SameSite selects the requests from other sites with which a browser sends the cookie.
type SameSite string

// The zero SameSite leaves the attribute out, and browsers then mean Lax.
const (
	SameSiteLax    SameSite = "Lax"    // links and redirects that lead to the site
	SameSiteStrict SameSite = "Strict" // none
	SameSiteNone   SameSite = "None"   // all; needs Secure
)

// A SetCookie is the value of a Set-Cookie header, for a variable that a rule puts into
// it: http-after-response add-header Set-Cookie %[var(txn.auth.cookie)].
type SetCookie struct {
	Name  string
	Value string
	Path  string
	// MaxAge is the time for which the browser keeps the cookie, in whole seconds. Zero
	// means until the browser is closed, and less than zero deletes the cookie.
	MaxAge   time.Duration
	Domain   string // with its subdomains; empty for only the host
	Secure   bool
	HTTPOnly bool
	SameSite SameSite
}

// Append appends the header's value. It returns b and an error for a cookie that a browser
// would drop or read as another one: a name that is not a token, a value or attribute with
// a character that ends it, more than MaxCookie bytes, a name with the prefix __Host- or
// __Secure- without the attributes that the prefix stands for.
func (c SetCookie) Append(b []byte) ([]byte, error) {
	if err := c.check(); err != nil {
		return b, err
	}
	b = append(append(append(b, c.Name...), '='), c.Value...)
	attribute := func(name, value string) {
		if value != "" {
			b = append(append(append(append(b, "; "...), name...), '='), value...)
		}
	}
	flag := func(name string, set bool) {
		if set {
			b = append(append(b, "; "...), name...)
		}
	}
	attribute("Path", c.Path)
	attribute("Domain", c.Domain)
	switch {
	case c.MaxAge < 0:
		attribute("Max-Age", "0")
	case c.MaxAge > 0:
		b = strconv.AppendInt(append(b, "; Max-Age="...), max(1, int64(c.MaxAge/time.Second)), 10)
	}
	flag("Secure", c.Secure)
	flag("HttpOnly", c.HTTPOnly)
	attribute("SameSite", string(c.SameSite))
	return b, nil
}

func (c SetCookie) check() error {
	switch size := len(c.Name) + len(c.Value); {
	case !isToken(c.Name):
		return fmt.Errorf("codec: the cookie name %q is no token: use letters, digits, '-' and '_'", c.Name)
	case size > MaxCookie:
		return fmt.Errorf("codec: the cookie %s has %d bytes, browsers take %d at most: shorten its value, or split it", c.Name, size, MaxCookie)
	case strings.ContainsFunc(c.Value, notInCookie):
		return fmt.Errorf("codec: the value of the cookie %s has a character that cookies cannot have: encode it, as base64 for example", c.Name)
	case strings.ContainsFunc(c.Path+c.Domain, func(r rune) bool { return r < ' ' || r > '~' || r == ';' }):
		return fmt.Errorf("codec: the path or domain of the cookie %s has a character that ends it", c.Name)
	case c.SameSite != "" && c.SameSite != SameSiteLax && c.SameSite != SameSiteStrict && c.SameSite != SameSiteNone:
		return fmt.Errorf("codec: the cookie %s has the SameSite %q: use one of the constants", c.Name, c.SameSite)
	case c.SameSite == SameSiteNone && !c.Secure:
		return errors.New("codec: the cookie " + c.Name + " has SameSiteNone, which browsers take only with Secure")
	case hasPrefixFold(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != ""):
		return errors.New("codec: the cookie " + c.Name + " needs Secure, Path \"/\" and no Domain for its prefix __Host-")
	case hasPrefixFold(c.Name, "__Secure-") && !c.Secure:
		return errors.New("codec: the cookie " + c.Name + " needs Secure for its prefix __Secure-")
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// notInCookie reports whether a cookie's value cannot have r (RFC 6265 §4.1.1).
func notInCookie(r rune) bool {
	return r <= ' ' || r > '~' || r == '"' || r == ',' || r == ';' || r == '\\'
}

// isToken reports whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// Split returns the values of up to limit Set-Cookie headers for a cookie that may be too
// long for one: the second cookie has the name followed by 1, and so on. The value of the
// first begins with a digit, the number of cookies. [JoinCookie] is the reverse. Split
// returns an error for a cookie that Append refuses, and for one that needs more than limit
// headers.
func (c SetCookie) Split(limit int) ([]string, error) {
	limit = min(limit, 9)
	size := max(1, MaxCookie-len(c.Name)-1)
	n := (1 + len(c.Value) + size - 1) / size
	if n > limit {
		return nil, fmt.Errorf("codec: the cookie %s has %d bytes, which do not fit into %d cookies: shorten its value", c.Name, len(c.Name)+len(c.Value), limit)
	}
	value := strconv.Itoa(n) + c.Value
	var headers []string
	for i := range n {
		part := c
		part.Name, part.Value = partName(c.Name, i), value[i*size:min(len(value), (i+1)*size)]
		b, err := part.Append(nil)
		if err != nil {
			return nil, err
		}
		headers = append(headers, string(b))
	}
	return headers, nil
}

// Delete returns the values of the headers that delete a cookie and the parts that Split
// made with that limit.
func (c SetCookie) Delete(limit int) ([]string, error) {
	var headers []string
	for i := range max(1, limit) {
		part := c
		part.Name, part.Value, part.MaxAge = partName(c.Name, i), "", -1
		b, err := part.Append(nil)
		if err != nil {
			return nil, err
		}
		headers = append(headers, string(b))
	}
	return headers, nil
}

func partName(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + strconv.Itoa(i)
}
