package ldapauth_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/ldapauth"
	"github.com/spoke-go/spoke/internal/slapdtest"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = 30 * time.Second

// server is slapd and a directory that asks it.
type server struct {
	*slapdtest.Server
	*ldapauth.Directory
	t      *testing.T
	config ldapauth.Config
	off    atomic.Int64 // of the directory's clock
}

func newServer(t *testing.T, change func(*ldapauth.Config)) *server {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	servicetest.WriteCertificate(t, cert, key, 1)
	s := &server{Server: slapdtest.Start(t, cert, key), t: t, config: ldapauth.Defaults()}
	s.config.URL, s.config.CA = "ldaps://127.0.0.1:"+s.LDAPS, cert
	s.config.BindDN, s.config.BindPassword = slapdtest.Reader, service.NewSecret(slapdtest.ReaderPassword)
	s.config.Base, s.config.GroupBase, s.config.Pool = slapdtest.Base, slapdtest.Base, 2
	if change != nil {
		change(&s.config)
	}
	require.NoError(t, s.config.Validate())
	s.Directory = s.directory(s.config)
	return s
}

func (s *server) directory(c ldapauth.Config) *ldapauth.Directory {
	s.t.Helper()
	d, err := ldapauth.New(c, func() time.Time { return time.Now().Add(time.Duration(s.off.Load())) })
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = d.Close() })
	return d
}

func (s *server) forward(d time.Duration) { s.off.Add(int64(d)) }

// try returns why a name and a password are refused.
func (s *server) try(name, password, from string) error {
	_, err := s.Authenticate(s.t.Context(), name, password, netip.MustParseAddr(from))
	return err
}

// TestUser: a user has the entry's name, mail and groups, however the name is spelled.
func TestUser(t *testing.T) {
	s := newServer(t, nil)
	for i, name := range []string{"carol", "Carol", "CAROL", "carol "} {
		user, err := s.Authenticate(t.Context(), name, "carol's password", netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i)))
		require.NoError(t, err)
		assert.Equal(t, &auth.User{Subject: "uid=carol,dc=example,dc=com", Name: "carol", Mail: "carol@example.com", Groups: []string{"staff", "admins"}}, user)
	}
	i := 0
	for name, password := range map[string]string{
		"carol":       "dave's password",
		"*":           "carol's password",
		"carol)(uid=": "carol's password",
		"nobody":      "carol's password",
		"dave":        "", // a bind without a password is no login, and succeeds
	} {
		i++
		assert.Equal(t, auth.ErrBadPassword, s.try(name, password, fmt.Sprintf("198.51.100.%d", i)), name)
	}
}

// TestConnections: STARTTLS, many requests over few connections, no TLS, and a server
// whose certificate is not trusted.
func TestConnections(t *testing.T) {
	s := newServer(t, func(c *ldapauth.Config) { c.Cache = 0 })
	c := s.config
	c.URL = "ldap://127.0.0.1:" + s.LDAP
	s.Directory = s.directory(c)
	assert.Equal(t, auth.ErrUnavailable, s.try("carol", "carol's password", "192.0.2.1"), "the server takes no password without TLS")
	c.StartTLS = true
	s.Directory = s.directory(c)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			assert.NoError(t, s.try("carol", "carol's password", fmt.Sprintf("192.0.2.%d", i)))
			assert.NoError(t, s.try("dave", "dave's password", fmt.Sprintf("192.0.2.%d", i)))
		})
	}
	all.Wait()
	s.config.CA = ""
	s.Directory = s.directory(s.config)
	assert.Equal(t, auth.ErrUnavailable, s.try("carol", "carol's password", "192.0.2.1"), "an authority that is not known")
}

// TestRemembers: a good password is remembered for a time, and no other is taken for it.
func TestRemembers(t *testing.T) {
	s := newServer(t, nil)
	require.NoError(t, s.try("carol", "carol's password", "192.0.2.1"))
	s.Kill()
	assert.NoError(t, s.try("carol", "carol's password", "192.0.2.1"))
	assert.Equal(t, auth.ErrUnavailable, s.try("carol", "another", "192.0.2.1"))
	assert.Equal(t, auth.ErrUnavailable, s.try("dave", "carol's password", "192.0.2.1"))
	s.forward(6 * time.Minute)
	assert.Equal(t, auth.ErrUnavailable, s.try("carol", "carol's password", "192.0.2.1"))
}

// TestGuesses: after a few wrong passwords a network and a name have to wait, and others
// do not.
func TestGuesses(t *testing.T) {
	s := newServer(t, nil)
	wrong := func(name, from string) {
		t.Helper()
		assert.Equal(t, auth.ErrBadPassword, s.try(name, "wrong", from), name)
	}
	for i := range 4 {
		wrong(fmt.Sprintf("name%d", i), "198.51.100.1")
	}
	assert.Equal(t, auth.ErrTooFast, s.try("name4", "wrong", "198.51.100.1"))
	assert.Equal(t, auth.ErrTooFast, s.try("carol", "carol's password", "198.51.100.1"), "not even a good one")
	assert.NoError(t, s.try("carol", "carol's password", "198.51.100.2"))
	s.forward(3 * time.Second)
	assert.NoError(t, s.try("dave", "dave's password", "198.51.100.1"))
	for i := range 4 {
		wrong("erin", fmt.Sprintf("203.0.113.%d", i))
	}
	assert.Equal(t, auth.ErrTooFast, s.try("erin", "wrong", "203.0.113.9"), "from everywhere")
}

// TestGuessesAtOnce: many guesses at the same time are no cheaper than one after another.
func TestGuessesAtOnce(t *testing.T) {
	s := newServer(t, func(c *ldapauth.Config) { c.Delay = 500 * time.Millisecond })
	var tried, slow atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			switch s.try("carol", fmt.Sprint("guess ", i), fmt.Sprintf("192.0.2.%d", i)) {
			case auth.ErrBadPassword:
				tried.Add(1)
			case auth.ErrTooFast:
				slow.Add(1)
			}
		})
	}
	all.Wait()
	assert.Equal(t, int64(60), tried.Load()+slow.Load())
	assert.Less(t, tried.Load(), int64(30), "each from another address")
	assert.NoError(t, s.try("dave", "dave's password", "192.0.2.1"), "another name does not wait")
}

// TestGuessesAreEqual: neither the time nor the order of refusals shows which names there
// are.
func TestGuessesAreEqual(t *testing.T) {
	const delay = 300 * time.Millisecond
	s := newServer(t, func(c *ldapauth.Config) { c.Delay = delay })
	tries := 0
	guess := func(name string) (took time.Duration, err error) {
		tries++
		begun := time.Now()
		err = s.try(name, fmt.Sprint("guess ", tries), fmt.Sprintf("192.0.2.%d", tries))
		return time.Since(begun), err
	}
	for range 6 {
		_, there := guess("carol")
		_, not := guess("nobody")
		assert.Equal(t, there, not, "guess %d", tries/2)
	}
	// This machine may be busy: the least time of several guesses counts.
	least := map[string]time.Duration{"dave": time.Hour, "no-one": time.Hour}
	assert.Eventually(t, func() bool {
		for name := range least {
			s.forward(3 * time.Second) // nobody has to wait
			took, err := guess(name)
			assert.Equal(t, auth.ErrBadPassword, err, name)
			assert.GreaterOrEqual(t, took, delay)
			least[name] = min(least[name], took)
		}
		return (least["dave"] - least["no-one"]).Abs() < delay/6
	}, patience, time.Millisecond, "%v", least)
}

// TestGuessesOfSpellings: a user has so many guesses, however the name is spelled, and
// names without a user have as many.
func TestGuessesOfSpellings(t *testing.T) {
	s := newServer(t, nil)
	for _, names := range [][]string{
		{"dave", "DAVE", "Dave", "dAVE", "daVe"},
		{"nobody", "NOBODY", "Nobody", "nobody ", " nobody"},
	} {
		for i, name := range names {
			want := auth.ErrBadPassword
			if i == len(names)-1 {
				want = auth.ErrTooFast
			}
			assert.Equal(t, want, s.try(name, "wrong", fmt.Sprintf("198.51.100.%d", i)), name)
		}
	}
}

// TestGuessesOfAnEntry: a user who has several names has the guesses of one.
func TestGuessesOfAnEntry(t *testing.T) {
	s := newServer(t, func(c *ldapauth.Config) { c.UserFilter = "(|(uid=%s)(mail=%s))" })
	user, err := s.Authenticate(t.Context(), "carol@example.com", "carol's password", netip.MustParseAddr("192.0.2.1"))
	require.NoError(t, err)
	assert.Equal(t, "carol", user.Name, "sites get one name")
	for i, name := range []string{"carol", "carol@example.com", "carol", "carol@example.com"} {
		assert.Equal(t, auth.ErrBadPassword, s.try(name, "wrong", fmt.Sprintf("198.51.100.%d", i)), name)
	}
	assert.Equal(t, auth.ErrTooFast, s.try("carol@example.com", "wrong", "198.51.100.9"))
}

// TestConfig refuses settings that cannot work.
func TestConfig(t *testing.T) {
	c := ldapauth.Defaults()
	assert.NoError(t, c.Validate(), "no directory")
	for _, c.URL = range []string{"ldap.example.com", "https://ldap.example.com", "ldaps://"} {
		assert.ErrorContains(t, c.Validate(), "is no address of a directory")
	}
	c.URL, c.UserFilter = "ldaps://ldap.example.com", "(uid=carol)"
	assert.ErrorContains(t, c.Validate(), "does not name the user")
}
