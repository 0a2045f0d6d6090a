package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/spoke-go/spoke/examples/mirror/internal/hop"
	"github.com/spoke-go/spoke/service"
)

// Target is a site that gets copies.
type Target struct {
	Name string `help:"the target in logs and metrics; without it the host of the URL"`
	URL  string `value:"URL" help:"where the copies go, such as https://staging.example.org/v2"`

	Share   float64  `min:"0.000000001" max:"100" value:"PERCENT" help:"how many of the requests are copied"`
	ShareBy string   `value:"HEADER" help:"a header whose value decides: requests with the same value are all copied or all not"`
	Method  []string `value:"METHOD" help:"copy only requests with these methods"`
	Path    []string `value:"PREFIX" help:"copy only requests whose path begins with one of these"`
	Header  []string `value:"HEADER" help:"copy only requests that have one of these headers: X-Beta, or with a value, X-Beta: yes"`

	Host   string            `help:"the Host of the copies: keep, url for that of the URL, or any other"`
	Set    map[string]string `help:"headers that copies get, instead of the request's"`
	Remove []string          `value:"HEADER" help:"headers that copies do not get, such as Cookie"`

	HTTP     string     `conf:"http" oneof:"auto,1,2" help:"the version of HTTP: auto is 1.1, and what both sides speak with https"`
	Insecure bool       `help:"do not check the target's certificate"`
	From     netip.Addr `value:"ADDRESS" help:"the address of this machine that connections come from"`

	TLS service.ClientTLS `conf:",inline"`
}

var (
	methodForm = regexp.MustCompile(`^[A-Z][A-Z0-9-]*$`)
	pathForm   = regexp.MustCompile(`^(/|\*$)`)
	nameForm   = regexp.MustCompile(`^[^\s"(),/:;<=>?@[\\\]{}]+$`)
	headerForm = regexp.MustCompile(`^[^\s"(),/:;<=>?@[\\\]{}]+(:.*)?$`)
)

// Validate refuses copies that cannot be sent, and choices that no request meets.
func (t Target) Validate() error {
	if _, err := parseURL(t.URL); err != nil {
		return service.Wrong("url", "%v", err)
	}
	for name, value := range t.Set {
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return service.Wrong("set."+name, "is no header: write a name and a value without line breaks")
		case hop.Owns(name):
			return service.Wrong("set."+name, "cannot be set: the copy's connection and body decide it")
		}
	}
	var errs []error
	check := func(key string, form *regexp.Regexp, want string, values ...string) {
		if i := slices.IndexFunc(values, func(v string) bool { return !form.MatchString(v) }); i >= 0 {
			errs = append(errs, service.Wrong(key, "%q is no %s", values[i], want))
		}
	}
	check("method", methodForm, "method: write one in capital letters, such as POST", t.Method...)
	check("path", pathForm, "path: write one that begins with '/', such as /api/", t.Path...)
	check("header", headerForm, "header: write a name, such as X-Beta, or a name and a value, X-Beta: yes", t.Header...)
	check("remove", nameForm, "name of a header: write one such as Cookie", t.Remove...)
	check("share-by", nameForm, "name of a header: write one such as X-Session", cmp.Or(t.ShareBy, "none"))
	if t.Host != "" && !httpguts.ValidHostHeader(t.Host) {
		return service.Wrong("host", "%q is no host: write keep, url, or a name such as staging.example.org", t.Host)
	}
	if t.TLS.CA != "" && t.Insecure {
		return service.Wrong("insecure", "is set with ca: remove one of the two")
	}
	return errors.Join(errs...)
}

// name returns the target's name, or the host and port of its URL.
func (t Target) name() string {
	if t.Name != "" {
		return t.Name
	}
	if u, err := parseURL(t.URL); err == nil {
		return u.Host
	}
	return t.URL
}

// parseURL reads a target's URL. Its path must not end with a slash, because the
// request's path follows it.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("is missing: write one such as http://127.0.0.1:8082")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is not a URL: write one such as http://127.0.0.1:8082", text)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("%q has more than scheme, host and path: remove the rest", text)
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/"), ""
	return u, nil
}

// protocols returns the versions of HTTP for a target.
func (t Target) protocols(scheme string) *http.Protocols {
	p := new(http.Protocols)
	version := cmp.Or(t.HTTP, "auto")
	p.SetHTTP1(version != "2")
	p.SetHTTP2(version != "1" && scheme == "https")
	p.SetUnencryptedHTTP2(version == "2" && scheme == "http")
	return p
}
