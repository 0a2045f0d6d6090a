package haproxy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

// TestWriteConfig: -write-config writes all files, and -up-to-date tells CI which of
// them differ, without writing.
func TestWriteConfig(t *testing.T) {
	dir := t.TempDir()
	out, done, err := program(t, "-write-config", dir, "-up-to-date")
	assert.True(t, done)
	assert.ErrorIs(t, err, haproxy.ErrOutOfDate)
	assert.Contains(t, out, filepath.Join(dir, "spoe.conf"))
	_, _, err = program(t, "-write-config", dir)
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{"agents.cfg", "frontend.txt", "spoe.conf"}, names, "no temporary file is left")
	_, _, err = program(t, "-write-config", dir, "-up-to-date")
	require.NoError(t, err)

	path := filepath.Join(dir, "agents.cfg")
	require.NoError(t, os.WriteFile(path, []byte("# edited\n"), 0o600))
	out, _, err = program(t, "-write-config", dir, "-up-to-date")
	assert.ErrorIs(t, err, haproxy.ErrOutOfDate)
	assert.Equal(t, path+" differs from the agent's output\n", out)
	_, _, err = program(t, "-up-to-date")
	assert.ErrorContains(t, err, "-up-to-date needs -write-config DIR")
}

// TestWriteConfigFails: a failure leaves the files as they were.
func TestWriteConfigFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "spoe.conf")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	_, _, err := program(t, "-write-config", dir, "-listen", "a b")
	require.Error(t, err)
	_, _, err = program(t, "-write-config", filepath.Join(dir, "none"))
	require.Error(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "before", string(b))
}
