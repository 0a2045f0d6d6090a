package main_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// world is HAProxy with two sites behind it, a provider, and agents.
type world struct {
	t          *testing.T
	provider   *lab.Provider
	server     *httptest.Server // of the provider
	agents     []*agent
	h          *haproxytest.HAProxy
	wiki, shop string // URLs, without a slash at the end
}

const key = "a secret that is long enough for the tests"

// settings is the agent's configuration: all of the wiki but /public/ and /healthz
// requires a login, and /admin/ a group. The shop has no rules.
func settings(issuer string) string {
	return fmt.Sprintf(`
keys: [%q]
providers:
  - {name: main, issuer: %q, client-id: %s, client-secret: %q, audiences: [%s], introspect: true, scopes: [openid, profile, email, offline_access]}
sites:
  - hosts: [wiki.localhost]
    provider: main
    bearer: true
    rules:
      - {paths: [/public/, /healthz], do: allow}
      - {paths: [/admin/], groups: [admins]}
      - {paths: [/secret/], do: deny}
      - {paths: [/inside/], networks: [192.0.2.0/24]}
      - {paths: [/inside/], do: deny}
      - {methods: [GET, HEAD, POST, OPTIONS]}
  - hosts: [shop.localhost]
    provider: main
`, key, issuer, lab.ClientID, lab.ClientSecret, lab.ClientID)
}

// newProvider starts the provider.
func newProvider(t *testing.T) (*lab.Provider, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	p, err := lab.NewProvider(issuer)
	require.NoError(t, err)
	server.Config.Handler = p
	server.Start()
	t.Cleanup(server.Close)
	return p, server
}

// newWorld starts everything, with as many agents as there are configurations; none is
// one with settings.
func newWorld(t *testing.T, bin haproxytest.Binary, configs ...func(issuer string) string) *world {
	t.Helper()
	w := &world{t: t}
	w.provider, w.server = newProvider(t)
	if len(configs) == 0 {
		configs = append(configs, settings)
	}
	for _, c := range configs {
		w.agents = append(w.agents, startAgent(t, c(w.server.URL)))
	}
	cert, key, err := lab.Certificate("wiki.localhost", "shop.localhost", "other.localhost")
	require.NoError(t, err)
	site := func(name string) string {
		s := httptest.NewServer(lab.Site(name))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	agents := haproxytest.ReadConfig(t, "agents.cfg", "inter 1s", "inter 100ms")
	for i, a := range w.agents[1:] {
		agents = strings.Replace(agents, "\n# The agents' own pages", fmt.Sprintf("    server agent%d %s\n\n# The agents' own pages", i+2, a.addr), 1)
		agents += fmt.Sprintf("    server pages%d %s\n", i+2, a.pages)
	}
	w.h = haproxytest.Start(t, bin, haproxytest.Config{
		Config: haproxytest.ReadConfig(t, "haproxy.cfg", `"${SSO_FRONTEND}"`, `{{addr "https"}}`),
		Files: map[string]string{
			"spoe.conf":  haproxytest.ReadConfig(t, "spoe.conf", "timeout processing 6s", "timeout processing 20s"),
			"agents.cfg": agents, "site.pem": string(cert) + string(key),
		},
		Args: []string{"-f", "agents.cfg"},
		Env: []string{`SSO_CERT={{path "site.pem"}}`, "SSO_WIKI=" + site("wiki"), "SSO_SHOP=" + site("shop"),
			"SSO_AGENT=" + w.agents[0].addr, "SSO_PAGES=" + w.agents[0].pages},
	})
	_, port, err := net.SplitHostPort(w.h.Addr("https"))
	require.NoError(t, err)
	w.provider.SetHosts("wiki.localhost:"+port, "shop.localhost:"+port)
	w.wiki, w.shop = "https://wiki.localhost:"+port, "https://shop.localhost:"+port
	for i, a := range w.agents {
		if strings.Contains(configs[i](w.server.URL), "providers:") {
			a.waitProvider(t)
		}
	}
	require.Eventually(t, func() bool { return strings.Count(w.h.Command("show stat"), ",L7OK,") == 2*len(w.agents) },
		patience, 20*time.Millisecond, "HAProxy's health checks of the agents")
	return w
}

// waitProvider waits until the agent knows its provider.
func (a *agent) waitProvider(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		req, _ := http.NewRequest(http.MethodGet, "http://"+a.pages+"/.sso/login", nil)
		req.Host = "wiki.localhost"
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusFound
	}, patience, 20*time.Millisecond, "the agent knows its provider")
}

// browser is a plain HTTP client with cookies; Chromium has a test of its own.
type browser struct {
	*http.Client
	t *testing.T
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	dialer := &net.Dialer{}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, "127.0.0.1:"+port)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{&http.Client{Jar: jar, Transport: transport, Timeout: patience}, t}
}

// reply is the response to a request.
type reply struct {
	status   int
	url      string
	body     string
	header   http.Header
	location string
}

func (b *browser) do(method, url, form string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(form))
	require.NoError(b.t, err)
	req.Header.Set("Accept", "text/html")
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.Do(req)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return reply{resp.StatusCode, resp.Request.URL.String(), string(body), resp.Header, resp.Header.Get("Location")}
}

func (b *browser) get(url string, headers ...string) reply {
	b.t.Helper()
	return b.do(http.MethodGet, url, "", headers...)
}

// once is get without following a redirect.
func (b *browser) once(url string, headers ...string) reply {
	b.t.Helper()
	c := *b.Client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return (&browser{&c, b.t}).do(http.MethodGet, url, "", headers...)
}

var authRequest = regexp.MustCompile(`name="id" value="([^"]+)"`)

// login asks for a page, logs in on the way, and returns the page.
func (b *browser) login(page, user string) reply {
	b.t.Helper()
	form := b.get(page)
	m := authRequest.FindStringSubmatch(form.body)
	require.NotNil(b.t, m, "%s is no login: %d %s", form.url, form.status, form.body)
	u, err := url.Parse(form.url)
	require.NoError(b.t, err)
	return b.do(http.MethodPost, "http://"+u.Host+"/login/username", url.Values{"id": {m[1]}, "username": {user}, "password": {lab.Password}}.Encode())
}

// atLogin reports whether a reply is the provider's form.
func (r reply) atLogin() bool { return authRequest.MatchString(r.body) }

// shows asserts that a site's page shows a user.
func (r reply) shows(t *testing.T, page, user string) {
	t.Helper()
	assert.Equal(t, 200, r.status, r.body)
	assert.Equal(t, page, r.url)
	assert.Contains(t, r.body, `<b id="user">`+user+`</b>`)
}

// cookies returns the names and values that a browser has for a site.
func (b *browser) cookies(site string) map[string]string {
	u, err := url.Parse(site)
	require.NoError(b.t, err)
	all := make(map[string]string)
	for _, c := range b.Jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

// pageOf returns the status of an agent's page, without HAProxy.
func pageOf(t *testing.T, a *agent, path string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+a.pages+path, nil)
	require.NoError(t, err)
	req.Host = "wiki.localhost"
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// serveAt starts a server at an address that was in use before.
func serveAt(t *testing.T, addr string, h http.Handler) *httptest.Server {
	t.Helper()
	var l net.Listener
	require.Eventually(t, func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil
	}, patience, 20*time.Millisecond)
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	return s
}

// setCookie gives a browser a cookie; an empty value deletes it.
func (b *browser) setCookie(site, name, value string) {
	u, err := url.Parse(site)
	require.NoError(b.t, err)
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: true}
	if value == "" {
		c.MaxAge = -1
	}
	b.Jar.SetCookies(u, []*http.Cookie{c})
}

// rewrite replaces the agent's configuration and waits until it is in force.
func (a *agent) rewrite(t *testing.T, config string) {
	t.Helper()
	n := strings.Count(a.Log.String(), "configuration reloaded")
	temporary := filepath.Join(filepath.Dir(a.config), "new")
	require.NoError(t, os.WriteFile(temporary, []byte(config), 0o600))
	require.NoError(t, os.Rename(temporary, a.config))
	a.Reload <- os.Interrupt
	require.Eventually(t, func() bool { return strings.Count(a.Log.String(), "configuration reloaded") > n }, patience, 10*time.Millisecond)
}
