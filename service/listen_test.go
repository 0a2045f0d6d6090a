package service_test

import (
	"crypto/tls"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spoa.sock")
	second := path + "2"
	r := servicetest.Start(t, newAgent(), "-listen", "unix:"+path, "-listen", "unix@"+second, "-listen", "unix:@spoke-"+filepath.Base(filepath.Dir(filepath.Dir(path))), "-socket-mode", "0600")
	r.Addr(t)
	for _, path := range []string{path, second} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
		_, err = spoetest.HealthCheck(t.Context(), "unix", path)
		require.NoError(t, err)
	}
	assert.Equal(t, 7, score(t, r), "TCP as well")
}

// A certificate that is replaced is served from then on, and a broken one is not.
func TestTLSReload(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	servicetest.WriteCertificate(t, cert, key, 1)
	r := servicetest.Start(t, newAgent(), "-tls-cert", cert, "-tls-key", key)
	assert.EqualValues(t, 1, serial(t, r.Addr(t)))
	servicetest.WriteCertificate(t, cert, key, 2)
	r.Log.Wait(t, `msg="configuration reloaded" reason="a file has changed"`)
	assert.EqualValues(t, 2, serial(t, r.Addr(t)))
	servicetest.WriteFile(t, cert, "broken")
	r.Log.Wait(t, `configuration not reloaded, the old one stays.*cert.pem`)
	assert.EqualValues(t, 2, serial(t, r.Addr(t)))

	// A certificate comes before its key, as it does where a program writes the two.
	other, otherKey := filepath.Join(dir, "other.pem"), filepath.Join(dir, "other-key.pem")
	servicetest.WriteCertificate(t, other, otherKey, 3)
	require.NoError(t, os.Rename(other, cert))
	r.Log.Wait(t, `configuration not reloaded, the old one stays.*private key does not match public key`)
	assert.EqualValues(t, 2, serial(t, r.Addr(t)))
	require.NoError(t, os.Rename(otherKey, key))
	require.Eventually(t, func() bool { return serial(t, r.Addr(t)) == 3 }, servicetest.Patience, 50*time.Millisecond)
}

func serial(t *testing.T, addr string) int64 {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: servicetest.Patience}, "tcp", addr, &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}
