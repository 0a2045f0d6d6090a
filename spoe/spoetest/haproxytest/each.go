package haproxytest

import (
	"os"
	"strings"
	"testing"
)

// ForEach runs fn as a subtest for each version of HAProxy that [Installed] finds, and
// lists them in the test's output.
//
// Where there is none, the test is skipped with a notice, or fails under CI (the
// environment variable CI is set), so that no CI is green because it tested nothing.
// $SPOKE_HAPROXY_VERSIONS, such as "2.6 3.0 3.2+", names versions that must be among them,
// 3.2+ being 3.2 or a later one: a missing one fails the test under CI; elsewhere the
// output names it.
func ForEach(t *testing.T, fn func(t *testing.T, bin Binary)) {
	t.Helper()
	found, err := Installed()
	if err != nil {
		t.Fatal(err)
	}
	missing := missingVersions(found, os.Getenv("SPOKE_HAPROXY_VERSIONS"))
	switch {
	case len(found) == 0 && inCI():
		t.Fatal("no HAProxy found, and CI must have one: " + howToGetHAProxy)
	case len(found) == 0:
		t.Skip("NOT TESTED against HAProxy, none found: " + howToGetHAProxy)
	case len(missing) > 0 && inCI():
		t.Errorf("HAProxy %s missing, and CI must have it: %s", strings.Join(missing, ", "), howToGetHAProxy)
	case len(missing) > 0:
		t.Logf("NOT TESTED against HAProxy %s, not found: %s", strings.Join(missing, ", "), howToGetHAProxy)
	}
	for _, bin := range found {
		t.Logf("with %v (%s)", bin, bin.Path)
	}
	for _, bin := range found {
		t.Run("haproxy-"+bin.Version, func(t *testing.T) { fn(t, bin) })
	}
}

const howToGetHAProxy = "install it (apt-get install haproxy) or name it in $SPOKE_HAPROXY; in the Spoke repository, run make haproxy"

// missingVersions returns the versions in want, separated by spaces or commas, that were
// not found.
func missingVersions(found []Binary, want string) []string {
	var missing []string
next:
	for _, version := range strings.FieldsFunc(want, func(r rune) bool { return r == ' ' || r == ',' }) {
		for _, bin := range found {
			if bin.is(version) {
				continue next
			}
		}
		missing = append(missing, version)
	}
	return missing
}

func inCI() bool {
	switch os.Getenv("CI") {
	case "", "0", "false":
		return false
	}
	return true
}
