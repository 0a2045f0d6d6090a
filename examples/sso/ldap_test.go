package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/slapdtest"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// slapd is an LDAP server with its authority's file.
type slapd struct {
	*slapdtest.Server
	ca string
}

func startSlapd(t *testing.T) *slapd {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	servicetest.WriteCertificate(t, cert, key, 1)
	return &slapd{slapdtest.Start(t, cert, key), cert}
}

// settings has one site whose users are in the directory.
func (s *slapd) settings(more string) string {
	return fmt.Sprintf(`
ldap: {url: 'ldaps://127.0.0.1:%s', ca: %s, bind-dn: 'cn=agent,dc=example,dc=com', bind-password: "agent's password", base: 'dc=example,dc=com', group-base: 'dc=example,dc=com', pool: 2%s}
sites:
  - hosts: [wiki.localhost]
    basic: true
    rules:
      - {paths: [/admin/], groups: [admins]}
      - {}
`, s.LDAPS, s.ca, more)
}

// TestLDAP: Basic authentication behind HAProxy.
func TestLDAP(t *testing.T) {
	s := startSlapd(t)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin, func(issuer string) string { return s.settings("") })
		as := func(path, name, password string) reply {
			req, _ := http.NewRequest("GET", w.wiki, nil)
			req.SetBasicAuth(name, password)
			return newBrowser(t).get(w.wiki+path, "Authorization", req.Header.Get("Authorization"))
		}
		r := newBrowser(t).once(w.wiki + "/")
		assert.Equal(t, 401, r.status)
		assert.Equal(t, `Basic realm="wiki.localhost", charset="UTF-8"`, r.header.Get("WWW-Authenticate"))
		r = as("/admin/", "carol", "carol's password")
		r.shows(t, w.wiki+"/admin/", "carol")
		assert.Contains(t, r.body, "carol@example.com")
		assert.Contains(t, r.body, `<span id="groups">staff,admins</span>`)
		as("/", "dave", "dave's password").shows(t, w.wiki+"/", "dave")
		assert.Equal(t, 403, as("/admin/", "dave", "dave's password").status)
		for name, password := range map[string]string{
			"carol":       "dave's password",
			"*":           "carol's password",
			"carol)(uid=": "carol's password",
			"nobody":      "carol's password",
			"dave":        "", // a bind without a password is no login, and succeeds
		} {
			assert.Equal(t, 401, as("/", name, password).status, name)
		}
	})
}

// TestWrongPasswords: HAProxy answers 401, then 429, and 503 without a directory.
func TestWrongPasswords(t *testing.T) {
	s := startSlapd(t)
	w := newWorld(t, newest(t), func(issuer string) string { return s.settings("") })
	status := func(name string) int {
		return newBrowser(t).get(w.wiki+"/", "Authorization", basicHeader(t, name, "wrong")).status
	}
	for range 4 {
		assert.Equal(t, 401, status("dave"))
	}
	assert.Equal(t, 429, status("dave"))
	s.Kill()
	w.agents[0].clock.forward(2 * time.Minute)
	assert.Equal(t, 503, status("carol"))
}

func basicHeader(t *testing.T, name, password string) string {
	t.Helper()
	req, err := http.NewRequest("GET", "http://x", nil)
	require.NoError(t, err)
	req.SetBasicAuth(name, password)
	return req.Header.Get("Authorization")
}
