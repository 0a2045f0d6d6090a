package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
)

// root finds files: names with an '@', such as @owasp_crs/*.conf, inside the program,
// all others on disk. It remembers what was read, in that order.
type root struct {
	read []file
}

type file struct {
	name, text string
}

// inside returns the part of a name that is inside the program. A rule file that
// includes another one has its folder in front of that name.
func inside(name string) (string, bool) {
	i := strings.IndexByte(name, '@')
	return name[max(i, 0):], i >= 0
}

func (r *root) Open(name string) (fs.File, error) {
	if in, ok := inside(name); ok {
		return coreruleset.FS.Open(in)
	}
	return os.Open(name)
}

func (r *root) ReadFile(name string) ([]byte, error) {
	in, ok := inside(name)
	if ok {
		b, err := fs.ReadFile(coreruleset.FS, in)
		r.read = append(r.read, file{in, string(b)})
		return b, err
	}
	b, err := os.ReadFile(name)
	r.read = append(r.read, file{name, string(b)})
	return b, err
}

func (r *root) Glob(pattern string) ([]string, error) {
	if in, ok := inside(pattern); ok {
		return fs.Glob(coreruleset.FS, in)
	}
	return filepath.Glob(pattern)
}

// onDisk returns the files that can change, each once.
func (r *root) onDisk() (names []string) {
	for _, f := range r.read {
		if _, ok := inside(f.name); !ok {
			names = append(names, f.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
