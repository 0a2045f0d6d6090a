//go:build unix

// Package slapdtest starts Debian's LDAP server for tests.
package slapdtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/recipes"
)

// Server is an LDAP server with the users carol, in the groups staff and admins, and dave,
// in staff. The password of each is the name and "'s password"; so is that of the entry
// cn=agent, which may read all. The server takes no password without TLS.
type Server struct {
	LDAP, LDAPS string // ports of 127.0.0.1
	*recipes.Process
}

// Base is the directory's suffix, and Reader the entry that may read it.
const (
	Base           = "dc=example,dc=com"
	Reader         = "cn=agent," + Base
	ReaderPassword = "agent's password"
)

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

// Start starts the server, with a certificate in PEM files. It ends with the test.
func Start(t *testing.T, certFile, keyFile string) *Server {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		return filepath.Join(dir, name)
	}
	s := &Server{LDAP: freeaddr.Port(t), LDAPS: freeaddr.Port(t)}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "db"), 0o700))
	config := write("slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
security simple_bind=128
pidfile %[1]s/pid
database mdb
suffix "dc=example,dc=com"
directory %[1]s/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=agent,dc=example,dc=com" read by anonymous auth by * none
`, dir, certFile, keyFile))
	out, err := exec.Command("/usr/sbin/slapadd", "-f", config, "-l", write("data.ldif", ldif)).CombinedOutput()
	require.NoError(t, err, "%s; make slapd installs it", out)
	s.Process = recipes.StartProgram(t, "/usr/sbin/slapd", regexp.MustCompile(`(slapd starting)`), "-f", config, "-d", "256",
		"-h", "ldap://127.0.0.1:"+s.LDAP+" ldaps://127.0.0.1:"+s.LDAPS)
	for _, port := range []string{s.LDAP, s.LDAPS} { // it says that it starts, and listens then
		recipes.Until(t, func() bool {
			nc, err := net.Dial("tcp", "127.0.0.1:"+port)
			return err == nil && nc.Close() == nil
		}, func() string { return "slapd does not listen" })
	}
	return s
}
