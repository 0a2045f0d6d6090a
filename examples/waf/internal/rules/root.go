package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
)

// recommended is Coraza's own file of settings as it comes with the Core Rule Set. That
// one is older than Coraza, which by now drops the arguments of a request beyond the
// first 1000: limits are the rules by which Coraza's newer file refuses such requests.
const (
	recommended = "@coraza.conf-recommended"
	limits      = `
SecArgumentsLimit 1000
SecRule ARGUMENTS_LIMIT_REACHED "@eq 1" "id:200004,phase:1,t:none,log,deny,status:400,msg:'More arguments in the URL than SecArgumentsLimit'"
SecRule ARGUMENTS_LIMIT_REACHED "@eq 1" "id:200005,phase:2,t:none,log,deny,status:400,msg:'More arguments in the body than SecArgumentsLimit'"
SecRule URI_PARSE_ERROR "@eq 1" "id:200009,phase:1,t:none,log,deny,status:400,msg:'The URI cannot be parsed'"
`
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
		if in == recommended {
			b = append(b, limits...)
		}
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
