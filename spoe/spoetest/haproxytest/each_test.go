package haproxytest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
)

// The next test runs TestForEachHAProxyInner in a process of its own.
func TestForEachHAProxyInner(t *testing.T) {
	if os.Getenv("SPOETEST_INNER") == "" {
		return
	}
	haproxytest.ForgetSbin()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Logf("ran %s", bin.Path)
	})
}

func TestForEachHAProxy(t *testing.T) {
	dir := t.TempDir()
	two := fakeHAProxy(t, filepath.Join(dir, "a"), "2.6.12-1") + ":" + fakeHAProxy(t, filepath.Join(dir, "b"), "3.2.26-1")

	for _, tc := range []struct {
		name string
		env  []string
		ok   bool
		says []string
	}{
		{
			name: "says which",
			env:  []string{"SPOKE_HAPROXY=" + two, "CI=true", "SPOKE_HAPROXY_VERSIONS=2.6 3.1+"},
			ok:   true,
			says: []string{
				"with HAProxy 2.6.12-1", "with HAProxy 3.2.26-1",
				"--- PASS: TestForEachHAProxyInner/haproxy-2.6.12-1", "--- PASS: TestForEachHAProxyInner/haproxy-3.2.26-1",
			},
		},
		{
			name: "one missing",
			env:  []string{"SPOKE_HAPROXY=" + two, "SPOKE_HAPROXY_VERSIONS=2.6 3.0 3.2+"},
			ok:   true,
			says: []string{"NOT TESTED against HAProxy 3.0", "haproxy-2.6.12-1", "haproxy-3.2.26-1"},
		},
		{
			name: "one missing in CI",
			env:  []string{"SPOKE_HAPROXY=" + two, "SPOKE_HAPROXY_VERSIONS=2.6 3.0 3.2+", "CI=true"},
			says: []string{"HAProxy 3.0 missing, and CI must have it", "haproxy-2.6.12-1", "haproxy-3.2.26-1"},
		},
		{
			name: "list names what does not work",
			env:  []string{"SPOKE_HAPROXY=" + filepath.Join(dir, "gone")},
			says: []string{"SPOKE_HAPROXY: " + filepath.Join(dir, "gone")},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, ok := inner(tc.env...)
			assert.Equal(t, tc.ok, ok, out)
			for _, text := range tc.says {
				assert.Contains(t, out, text)
			}
		})
	}
}

func TestForEachHAProxyWithoutAny(t *testing.T) {
	none := []string{"SPOKE_HAPROXY=", "PATH=" + t.TempDir(), "SPOKE_CACHE=" + t.TempDir(), "SPOKE_HAPROXY_VERSIONS="}

	out, ok := inner(none...)
	assert.True(t, ok, out)
	assert.Contains(t, out, "NOT TESTED against HAProxy, none found")

	out, ok = inner(append(none, "CI=true")...)
	assert.False(t, ok, out)
	assert.Contains(t, out, "no HAProxy found, and CI must have one")
}

// inner runs TestForEachHAProxyInner with the given environment.
func inner(env ...string) (output string, ok bool) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestForEachHAProxyInner$", "-test.v")
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "CI=") && !strings.HasPrefix(pair, "SPOKE_HAPROXY") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(append(cmd.Env, "SPOETEST_INNER=1"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
