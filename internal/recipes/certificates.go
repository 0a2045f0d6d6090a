//go:build unix

package recipes

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Certificates writes the files of the recipe about TLS into a folder, and returns
// their contents by name.
func Certificates(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, err := exec.Command(Executable(t, "tls/certs"), "-dir", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	files := map[string]string{}
	for _, name := range []string{"ca.pem", "agent.pem", "agent.key", "haproxy.pem"} {
		files[name] = ReadFile(t, filepath.Join(dir, name))
	}
	return files
}
