package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// slapd is Debian's LDAP server.
type slapd struct {
	ldap, ldaps, ca string
	process         *recipes.Agent
}

const ldif = `dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=agent,dc=example,dc=com
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: agent
userPassword: agent's password

dn: uid=carol,dc=example,dc=com
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: C
mail: carol@example.com
userPassword: carol's password

dn: uid=dave,dc=example,dc=com
objectClass: inetOrgPerson
uid: dave
cn: Dave
sn: D
userPassword: dave's password

dn: cn=staff,dc=example,dc=com
objectClass: groupOfNames
cn: staff
member: uid=carol,dc=example,dc=com
member: uid=dave,dc=example,dc=com

dn: cn=admins,dc=example,dc=com
objectClass: groupOfNames
cn: admins
member: uid=carol,dc=example,dc=com
`

// startSlapd starts a server that takes no password without TLS.
func startSlapd(t *testing.T) *slapd {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		return filepath.Join(dir, name)
	}
	cert, key, err := lab.Certificate("localhost")
	require.NoError(t, err)
	s := &slapd{ldap: freeaddr.Port(t), ldaps: freeaddr.Port(t), ca: write("cert.pem", cert)}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "db"), 0o700))
	config := write("slapd.conf", fmt.Appendf(nil, `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[2]s
security simple_bind=128
pidfile %[1]s/pid
database mdb
suffix "dc=example,dc=com"
directory %[1]s/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=agent,dc=example,dc=com" read by anonymous auth by * none
`, dir, write("key.pem", key)))
	out, err := exec.Command("/usr/sbin/slapadd", "-f", config, "-l", write("data.ldif", []byte(ldif))).CombinedOutput()
	require.NoError(t, err, "%s; make slapd installs it", out)
	s.process = recipes.StartProgram(t, "/usr/sbin/slapd", regexp.MustCompile(`(slapd starting)`), "-f", config, "-d", "256",
		"-h", "ldap://127.0.0.1:"+s.ldap+" ldaps://127.0.0.1:"+s.ldaps)
	for _, port := range []string{s.ldap, s.ldaps} { // it says that it starts, and listens then
		recipes.Until(t, func() bool {
			nc, err := net.Dial("tcp", "127.0.0.1:"+port)
			return err == nil && nc.Close() == nil
		}, func() string { return "slapd does not listen" })
	}
	return s
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
`, s.ldaps, s.ca, more)
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

// TestLDAPConnections: STARTTLS, many at once over few connections, and a server that
// was away.
func TestLDAPConnections(t *testing.T) {
	s := startSlapd(t)
	config := strings.Replace(s.settings(""), "ldaps://127.0.0.1:"+s.ldaps, "ldap://127.0.0.1:"+s.ldap, 1)
	starttls := strings.Replace(config, "pool: 2", "pool: 2, start-tls: true, cache: 0s", 1)
	plain := startAgent(t, config)
	assert.Equal(t, "unavailable", plain.basic(t, "carol", "carol's password", "192.0.2.1"), "the server takes no password without TLS")
	a := startAgent(t, starttls)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { assert.Equal(t, "allow", a.basic(t, "carol", "carol's password", "192.0.2.1")) })
	}
	all.Wait()
	other := startAgent(t, strings.Replace(s.settings(""), "ca: "+s.ca+", ", "", 1))
	assert.Equal(t, "unavailable", other.basic(t, "carol", "carol's password", "192.0.2.1"), "an authority that is not known")
}

// TestLDAPRemembers: a good password is remembered for a time, and a changed one is not
// taken for it.
func TestLDAPRemembers(t *testing.T) {
	s := startSlapd(t)
	a := startAgent(t, s.settings(", cache: 5m"))
	require.Equal(t, "allow", a.basic(t, "carol", "carol's password", "192.0.2.1"))
	s.process.Kill()
	assert.Equal(t, "allow", a.basic(t, "carol", "carol's password", "192.0.2.1"))
	assert.Equal(t, "unavailable", a.basic(t, "carol", "another", "192.0.2.1"))
	assert.Equal(t, "unavailable", a.basic(t, "dave", "carol's password", "192.0.2.1"))
	a.clock.forward(6 * time.Minute)
	assert.Equal(t, "unavailable", a.basic(t, "carol", "carol's password", "192.0.2.1"))
}

// TestGuesses: guesses take the same time for names that there are and that there are
// not; after a few a network and a name have to wait, and others do not.
func TestGuesses(t *testing.T) {
	s := startSlapd(t)
	a := startAgent(t, s.settings(", delay: 500ms"))
	took := func(name, from string) time.Duration {
		begun := time.Now()
		assert.Equal(t, "unauthorized", a.basic(t, name, "wrong", from), name)
		return time.Since(begun)
	}
	for i, name := range []string{"carol", "nobody", "dave"} {
		at := fmt.Sprintf("192.0.2.%d", i)
		assert.GreaterOrEqual(t, took(name, at), 500*time.Millisecond)
	}
	for i := range 3 {
		took(fmt.Sprintf("name%d", i), "198.51.100.1")
	}
	took("name3", "198.51.100.1")
	assert.Equal(t, "slow", a.basic(t, "name4", "wrong", "198.51.100.1"))
	assert.Equal(t, "slow", a.basic(t, "carol", "carol's password", "198.51.100.1"), "not even a good one")
	assert.Equal(t, "allow", a.basic(t, "carol", "carol's password", "198.51.100.2"))
	a.clock.forward(3 * time.Second)
	assert.Equal(t, "allow", a.basic(t, "dave", "dave's password", "198.51.100.1"))
	for i := range 4 {
		took("erin", fmt.Sprintf("203.0.113.%d", i))
	}
	assert.Equal(t, "slow", a.basic(t, "erin", "wrong", "203.0.113.9"), "from everywhere")
}

// TestGuessesAtOnce: many guesses at the same time are no cheaper than one after another.
func TestGuessesAtOnce(t *testing.T) {
	s := startSlapd(t)
	a := startAgent(t, s.settings(", delay: 500ms"))
	var tried, slow atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			switch a.basic(t, "carol", fmt.Sprint("guess ", i), fmt.Sprintf("192.0.2.%d", i)) {
			case "unauthorized":
				tried.Add(1)
			case "slow":
				slow.Add(1)
			}
		})
	}
	all.Wait()
	assert.Equal(t, int64(60), tried.Load()+slow.Load())
	assert.Less(t, tried.Load(), int64(30), "each from another address")
	assert.Equal(t, "allow", a.basic(t, "dave", "dave's password", "192.0.2.1"), "another name does not wait")
}

// basic asks the agent about a name and a password, and returns its decision.
func (a *agent) basic(t *testing.T, name, password, from string) string {
	t.Helper()
	return a.ask(t, question{authorization: basicHeader(t, name, password), from: from}).Str("txn.decision")
}

// TestGuessesAreEqual: neither the time nor the order of answers shows which names there
// are.
func TestGuessesAreEqual(t *testing.T) {
	const delay = 300 * time.Millisecond
	s := startSlapd(t)
	a := startAgent(t, s.settings(fmt.Sprintf(", delay: %v", delay)))
	tries := 0
	guess := func(name string) (string, time.Duration) {
		tries++
		begun := time.Now()
		decision := a.basic(t, name, fmt.Sprint("guess ", tries), fmt.Sprintf("192.0.2.%d", tries))
		return decision, time.Since(begun)
	}
	for range 6 {
		there, _ := guess("carol")
		not, _ := guess("nobody")
		assert.Equal(t, there, not, "guess %d", tries/2)
	}
	// This machine may be busy: the least time of several guesses counts.
	least := map[string]time.Duration{"dave": time.Hour, "no-one": time.Hour}
	assert.Eventually(t, func() bool {
		for name := range least {
			a.clock.forward(3 * time.Second) // nobody has to wait
			decision, took := guess(name)
			assert.Equal(t, "unauthorized", decision, name)
			assert.GreaterOrEqual(t, took, delay)
			least[name] = min(least[name], took)
		}
		return (least["dave"] - least["no-one"]).Abs() < delay/6
	}, patience, time.Millisecond, "%v", least)
}

// TestSpellingsOfAName: a user has one name, however it is spelled, and so many guesses.
func TestSpellingsOfAName(t *testing.T) {
	s := startSlapd(t)
	a := startAgent(t, s.settings(", delay: 500ms"))
	for i, name := range []string{"Carol", "CAROL", "carol "} {
		got := a.ask(t, question{authorization: basicHeader(t, name, "carol's password"), from: fmt.Sprintf("192.0.2.%d", i)})
		assert.Equal(t, "allow", got.Str("txn.decision"), name)
		assert.Equal(t, "carol", got.Str("txn.user"), name)
	}
	for _, names := range [][]string{
		{"dave", "DAVE", "Dave", "dAVE", "daVe"},
		{"nobody", "NOBODY", "Nobody", "nobody ", " nobody"},
	} {
		for i, name := range names {
			want := "unauthorized"
			if i == len(names)-1 {
				want = "slow"
			}
			assert.Equal(t, want, a.basic(t, name, "wrong", fmt.Sprintf("198.51.100.%d", i)), name)
		}
	}
}

// TestGuessesOfAnEntry: a user who has several names has the guesses of one.
func TestGuessesOfAnEntry(t *testing.T) {
	s := startSlapd(t)
	a := startAgent(t, s.settings(", delay: 500ms, user-filter: '(|(uid=%s)(mail=%s))'"))
	got := a.ask(t, question{authorization: basicHeader(t, "carol@example.com", "carol's password")})
	assert.Equal(t, "carol", got.Str("txn.user"), "sites get one name")
	for i, name := range []string{"carol", "carol@example.com", "carol", "carol@example.com"} {
		assert.Equal(t, "unauthorized", a.basic(t, name, "wrong", fmt.Sprintf("198.51.100.%d", i)), name)
	}
	assert.Equal(t, "slow", a.basic(t, "carol@example.com", "wrong", "198.51.100.9"))
}

func basicHeader(t *testing.T, name, password string) string {
	t.Helper()
	req, err := http.NewRequest("GET", "http://x", nil)
	require.NoError(t, err)
	req.SetBasicAuth(name, password)
	return req.Header.Get("Authorization")
}
