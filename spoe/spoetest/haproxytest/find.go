package haproxytest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Binary is a haproxy that was found on this machine.
type Binary struct {
	Path    string // the program to execute
	Version string // as `haproxy -v` tells it, such as "2.6.12-1+deb12u4"
}

// Installed finds the haproxy binaries of this machine, oldest version first,
// each version once. It looks at
//
//   - $SPOKE_HAPROXY, a list of paths separated as $PATH is; where it is set, it is the only place, and each of its paths must work,
//   - haproxy on $PATH and in the usual sbin folders, which are not on every
//     user's $PATH,
//   - $SPOKE_CACHE/haproxy/*/haproxy, where internal/scripts/haproxy.sh of the Spoke
//     repository puts those of other Debian suites ($SPOKE_CACHE is by default
//     $XDG_CACHE_HOME/spoke or ~/.cache/spoke).
//
// Finding none is not an error.
func Installed() ([]Binary, error) {
	if list := os.Getenv("SPOKE_HAPROXY"); list != "" {
		var found []Binary
		for _, path := range filepath.SplitList(list) {
			bin, err := Look(path)
			if err != nil {
				return nil, fmt.Errorf("SPOKE_HAPROXY: %w", err)
			}
			found = append(found, bin)
		}
		return sortedVersions(found), nil
	}

	var paths []string
	if path, err := exec.LookPath("haproxy"); err == nil {
		paths = append(paths, path)
	}
	paths = append(paths, sbin...)
	if cached, err := filepath.Glob(filepath.Join(cacheDir(), "haproxy", "*", "haproxy")); err == nil {
		paths = append(paths, cached...)
	}
	var found []Binary
	for _, path := range paths {
		if bin, err := Look(path); err == nil {
			found = append(found, bin)
		}
	}
	return sortedVersions(found), nil
}

var sbin = []string{"/usr/sbin/haproxy", "/usr/local/sbin/haproxy"}

// Look asks the haproxy at path for its version.
func Look(path string) (Binary, error) {
	out, err := exec.Command(path, "-v").CombinedOutput()
	if err != nil {
		return Binary{}, fmt.Errorf("%s -v: %w: %s", path, err, strings.TrimSpace(string(out)))
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return Binary{}, fmt.Errorf("%s -v tells no HAProxy version: %q", path, out)
	}
	return Binary{Path: path, Version: string(m[1])}, nil
}

// Builds before 2.4 wrote "HA-Proxy".
var versionLine = regexp.MustCompile(`HA-?Proxy version (\d+\.\d+\S*)`)

// AtLeast reports whether the version is the given one or a later one:
// bin.AtLeast("3.1") is true for 3.1.0 and for 3.2.
func (b Binary) AtLeast(version string) bool {
	return slices.Compare(numbers(b.Version), numbers(version)) >= 0
}

// String is "HAProxy 2.6.12-1+deb12u4".
func (b Binary) String() string { return "HAProxy " + b.Version }

// is reports whether the binary answers what $SPOKE_HAPROXY_VERSIONS asks for:
// "2.6" is any 2.6.x, "3.2+" that or later.
func (b Binary) is(want string) bool {
	if least, ok := strings.CutSuffix(want, "+"); ok {
		return b.AtLeast(least)
	}
	have, asked := numbers(b.Version), numbers(want)
	return len(have) >= len(asked) && slices.Equal(have[:len(asked)], asked)
}

// numbers cuts "2.6.12-1+deb12u4" into 2, 6, 12.
func numbers(version string) []int {
	end := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end >= 0 {
		version = version[:end]
	}
	var ns []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		ns = append(ns, n)
	}
	return ns
}

func sortedVersions(found []Binary) []Binary {
	slices.SortStableFunc(found, func(a, b Binary) int {
		if c := slices.Compare(numbers(a.Version), numbers(b.Version)); c != 0 {
			return c
		}
		return strings.Compare(a.Version, b.Version)
	})
	return slices.CompactFunc(found, func(a, b Binary) bool { return a.Version == b.Version })
}

// cacheDir follows the same rule as internal/scripts/haproxy.sh, which is why it is not
// os.UserCacheDir: that one differs from it on macOS.
func cacheDir() string {
	if dir := os.Getenv("SPOKE_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "spoke")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "spoke")
	}
	return filepath.Join(home, ".cache", "spoke")
}
