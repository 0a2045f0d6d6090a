package haproxytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHAProxiesFromList(t *testing.T) {
	dir := t.TempDir()
	newer := fakeHAProxy(t, filepath.Join(dir, "newer"), "3.10.1-1")
	older := fakeHAProxy(t, filepath.Join(dir, "older"), "3.2.26-1")
	again := fakeHAProxy(t, filepath.Join(dir, "again"), "3.2.26-1")
	list := func(paths ...string) string { return strings.Join(paths, string(os.PathListSeparator)) }

	t.Setenv("SPOKE_HAPROXY", list(newer, older, again))
	found, err := haproxytest.Installed()
	require.NoError(t, err)
	assert.Equal(t, []haproxytest.Binary{
		{Path: older, Version: "3.2.26-1"},
		{Path: newer, Version: "3.10.1-1"},
	}, found)

	gone := filepath.Join(dir, "gone")
	t.Setenv("SPOKE_HAPROXY", list(older, gone))
	_, err = haproxytest.Installed()
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "SPOKE_HAPROXY: "+gone)

	t.Setenv("SPOKE_HAPROXY", "/bin/true")
	_, err = haproxytest.Installed()
	assert.ErrorContains(t, err, "/bin/true -v tells no HAProxy version")
}

func TestHAProxiesFromPathAndCache(t *testing.T) {
	dir := t.TempDir()
	onPath := fakeHAProxy(t, filepath.Join(dir, "bin"), "1.9.0")
	cached := fakeHAProxy(t, filepath.Join(dir, "cache", "haproxy", "suite"), "99.1-dev2")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cache", "haproxy", "empty"), 0o755))
	t.Setenv("SPOKE_HAPROXY", "")
	t.Setenv("PATH", filepath.Dir(onPath))

	for _, env := range [][2]string{{"SPOKE_CACHE", "cache"}, {"XDG_CACHE_HOME", "xdg"}, {"HOME", "home"}} {
		t.Run(env[0], func(t *testing.T) {
			t.Setenv("SPOKE_CACHE", "")
			t.Setenv("XDG_CACHE_HOME", "")
			t.Setenv(env[0], filepath.Join(dir, env[1]))
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "home", ".cache"), 0o755))
			for _, link := range []string{"xdg/spoke", "home/.cache/spoke"} {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(link)), 0o755))
				if err := os.Symlink(filepath.Join(dir, "cache"), filepath.Join(dir, link)); err != nil {
					require.ErrorIs(t, err, os.ErrExist)
				}
			}
			found, err := haproxytest.Installed()
			require.NoError(t, err)
			// Between them may be what this machine really has.
			require.GreaterOrEqual(t, len(found), 2)
			assert.Equal(t, haproxytest.Binary{Path: onPath, Version: "1.9.0"}, found[0])
			last := found[len(found)-1]
			assert.Equal(t, "99.1-dev2", last.Version)
			want, err := os.Stat(cached)
			require.NoError(t, err)
			have, err := os.Stat(last.Path)
			require.NoError(t, err)
			assert.True(t, os.SameFile(want, have))
		})
	}
}

func TestAtLeast(t *testing.T) {
	for _, tc := range []struct {
		version, least string
		want           bool
	}{
		{"2.6.12-1+deb12u4", "2.6", true},
		{"2.6.12-1+deb12u4", "2.6.12", true},
		{"2.6.12-1+deb12u4", "2.6.13", false},
		{"2.6.12-1+deb12u4", "3.0", false},
		{"3.0.11", "2.6.12", true},
		{"3.10.0", "3.2", true},
		{"3.5-dev5", "3.4", true},
		{"3.5-dev5", "3.5", true},
		{"", "0.1", false},
	} {
		bin := haproxytest.Binary{Version: tc.version}
		assert.Equal(t, tc.want, bin.AtLeast(tc.least), "%s, at least %s", tc.version, tc.least)
	}
}

func TestMissingVersions(t *testing.T) {
	found := []haproxytest.Binary{{Version: "2.6.12-1+deb12u4"}, {Version: "3.0.11-1"}, {Version: "3.4.1"}}
	for _, tc := range []struct {
		want    string
		missing []string
	}{
		{"", nil},
		{"2.6 3.0 3.2+", nil},
		{"2.6,3.0,3.4", nil},
		{"2.6.12", nil},
		{"2.60", []string{"2.60"}},
		{"2.4 3.2 3.5+ 2.6.1", []string{"2.4", "3.2", "3.5+", "2.6.1"}},
	} {
		assert.Equal(t, tc.missing, haproxytest.MissingVersions(found, tc.want), tc.want)
	}
}
