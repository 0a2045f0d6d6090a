package syntax

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Reader reads configurations as HAProxy does.
type Reader struct {
	Version   Version
	AnyOf     bool // the version is not known: read all branches
	lookupEnv func(string) (string, bool)
	env       map[string]string // set by the configuration
	total     int               // bytes in the words that were read
}

// maxExpanded is the maximum size of all words, in bytes, with environment variables
// expanded.
const maxExpanded = 4 * maxFile

func size(words []string) int {
	n := 0
	for _, w := range words {
		n += len(w)
	}
	return n
}

// NewReader returns a reader for a version of HAProxy, or "" for all versions, and an
// environment, or nil for this process's.
func NewReader(version string, lookupEnv func(string) (string, bool)) (*Reader, error) {
	r := &Reader{AnyOf: version == "", lookupEnv: lookupEnv, env: map[string]string{}}
	if r.lookupEnv == nil {
		r.lookupEnv = os.LookupEnv
	}
	var ok bool
	if r.Version, ok = ParseVersion(version); !ok && !r.AnyOf {
		return nil, fmt.Errorf("haproxy: %q is no version: write one such as 3.2", version)
	}
	return r, nil
}

func (r *Reader) getenv(name string) (string, bool) {
	if v, ok := r.env[name]; ok {
		return v, true
	}
	return r.lookupEnv(name)
}

// Files returns the files that a name of -f stands for.
func Files(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	entries, err := os.ReadDir(name) // sorted, as HAProxy reads them
	if err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	var found []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".cfg") && !strings.HasPrefix(e.Name(), ".") && !e.IsDir() {
			found = append(found, filepath.Join(name, e.Name()))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("haproxy: the folder %s has no file named *.cfg", name)
	}
	return found, nil
}

// maxFile is the maximum size of a file, in bytes.
const maxFile = 16 << 20

func readFile(name string) ([]byte, error) {
	// A pipe may have no end, or no writer.
	switch info, err := os.Stat(name); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file: write its content into one", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes, which is no configuration", name, maxFile)
	}
	return b, err
}

// Read returns the lines of a file that are in force.
func (r *Reader) Read(name string) ([]Directive, error) {
	b, err := readFile(name)
	if err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	var all []Directive
	var conds branches
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if strings.IndexByte(line, 0) >= 0 {
			return nil, fmt.Errorf("haproxy: %s:%d: a NUL byte: this is no configuration", name, n)
		}
		w, unset, err := wordsUnset(line, r.getenv)
		if err != nil {
			return nil, fmt.Errorf("haproxy: %s:%d: %w", name, n, err)
		}
		if unset != "" && !conds.off() && !conds.doubtful() {
			return nil, fmt.Errorf("haproxy: %s:%d: the environment variable %s is not set: set it as HAProxy will have it, or write \"${%[3]s-DEFAULT}\", for HAProxy 2.6 and later", name, n, unset)
		}
		if r.total += size(w); r.total > maxExpanded {
			return nil, fmt.Errorf("haproxy: %s:%d: environment variables make this configuration longer than %d bytes", name, n, maxExpanded)
		}
		if len(w) == 0 {
			continue
		}
		if strings.HasPrefix(w[0], ".") {
			if err := conds.apply(w[0], func() truth { return r.holds(strings.Join(w[1:], " ")) }); err != nil {
				return nil, fmt.Errorf("haproxy: %s:%d: %w", name, n, err)
			}
			continue
		}
		if conds.off() {
			continue
		}
		r.setenv(w)
		all = append(all, Directive{name, n, w, conds.doubtful()})
	}
	if len(conds) > 0 {
		return nil, fmt.Errorf("haproxy: %s: an .if without its .endif", name)
	}
	return all, nil
}

// setenv executes the environment directives of a global section.
func (r *Reader) setenv(w []string) {
	if len(w) < 2 {
		return
	}
	if w[0] != "setenv" && w[0] != "presetenv" {
		return
	}
	if _, set := r.getenv(w[1]); w[0] == "setenv" || !set {
		r.env[w[1]] = strings.Join(w[2:], " ")
	}
}
