package haproxy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Sources are the files that [Check] reads.
type Sources struct {
	// Configs are haproxy.cfg and what else HAProxy is started with, in the order
	// of its -f options. Of a folder its files named *.cfg are read.
	Configs []string
	// SPOE is the SPOE file. Default: the one that the filter line names, from
	// HAProxy's working directory (this program's) or, if it is not there, from
	// the folder of the file that has the line.
	SPOE string
	// Engine is the SPOE engine to check. Default: the one that sends messages
	// which the agent handles.
	Engine string
	// Version is HAProxy's version, such as "3.2", for .if version_atleast().
	// Default: the branches of all versions are read.
	Version string
	// LookupEnv has the environment that HAProxy will have. Default: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// directive is a line of a configuration that is not empty.
type directive struct {
	file  string
	line  int
	words []string
}

// text returns the words as one line again, for searching.
func (d *directive) text() string { return strings.Join(d.words, " ") }

// is tells whether the directive begins with these words.
func (d *directive) is(words ...string) bool {
	return len(d.words) >= len(words) && slices.Equal(d.words[:len(words)], words)
}

// after returns the word behind the first one that is w, or "".
func (d *directive) after(w string) string {
	if i := slices.Index(d.words, w); i >= 0 && i+1 < len(d.words) {
		return d.words[i+1]
	}
	return ""
}

// reader reads configurations as HAProxy does.
type reader struct {
	version   version
	anyOf     bool // the version is not known: read all branches
	lookupEnv func(string) (string, bool)
	env       map[string]string // set by the configuration
}

func newReader(s Sources) (*reader, error) {
	r := &reader{anyOf: s.Version == "", lookupEnv: s.LookupEnv, env: map[string]string{}}
	if r.lookupEnv == nil {
		r.lookupEnv = os.LookupEnv
	}
	var ok bool
	if r.version, ok = parseVersion(s.Version); !ok && !r.anyOf {
		return nil, fmt.Errorf("haproxy: %q is no version: write one such as 3.2", s.Version)
	}
	return r, nil
}

func (r *reader) getenv(name string) (string, bool) {
	if v, ok := r.env[name]; ok {
		return v, true
	}
	return r.lookupEnv(name)
}

// files returns the files that a name of -f stands for.
func files(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	found, err := filepath.Glob(filepath.Join(name, "*.cfg")) // sorted, as HAProxy has them
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("haproxy: the folder %s has no file named *.cfg", name)
	}
	return found, err
}

// maxFile is the longest file that is read, in bytes.
const maxFile = 16 << 20

// read returns the lines of a file that are in force.
func (r *reader) read(name string) ([]directive, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%s has %d bytes, which is no configuration", name, info.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	var all []directive
	var conds conditions
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if strings.IndexByte(line, 0) >= 0 {
			return nil, fmt.Errorf("haproxy: %s:%d: a NUL byte: this is no configuration", name, n)
		}
		w, err := words(line, r.getenv)
		if err != nil {
			return nil, fmt.Errorf("haproxy: %s:%d: %w", name, n, err)
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
		all = append(all, directive{name, n, w})
	}
	if len(conds) > 0 {
		return nil, fmt.Errorf("haproxy: %s: an .if without its .endif", name)
	}
	return all, nil
}

// setenv does what the environment directives of a global section do.
func (r *reader) setenv(w []string) {
	if len(w) < 2 {
		return
	}
	switch _, set := r.getenv(w[1]); {
	case w[0] == "setenv", w[0] == "presetenv" && !set:
		r.env[w[1]] = strings.Join(w[2:], " ")
	}
}

// truth is what is known of a condition.
type truth int

const (
	unknown truth = iota
	yes
	no
)

// conditions are the .if that are open, the innermost last: what holds of the
// branch that is being read, and whether one before it is taken for sure.
type conditions []struct {
	branch truth
	taken  bool
}

// off tells whether a line is in a branch that is not read. One of which nothing
// is known is read.
func (c conditions) off() bool {
	for _, o := range c {
		if o.branch == no {
			return true
		}
	}
	return false
}

func (c *conditions) apply(word string, holds func() truth) error {
	switch word {
	case ".if":
		t := holds()
		*c = append(*c, struct {
			branch truth
			taken  bool
		}{t, t == yes})
		return nil
	case ".elif", ".else", ".endif":
		if len(*c) == 0 {
			return fmt.Errorf("%s without an .if", word)
		}
	default: // .notice, .warning, .alert, .diag
		return nil
	}
	last := &(*c)[len(*c)-1]
	switch {
	case word == ".endif":
		*c = (*c)[:len(*c)-1]
	case last.taken:
		last.branch = no
	case word == ".else":
		last.branch = unknown
		last.taken = true
	default:
		last.branch = holds()
		last.taken = last.branch == yes
	}
	return nil
}

var versionTest = regexp.MustCompile(`^(!?)\s*version_(atleast|before)\(([^)]*)\)$`)

// holds tells what is known of a condition.
func (r *reader) holds(cond string) truth {
	switch cond {
	case "1", "true":
		return yes
	case "", "0", "false":
		return no
	}
	m := versionTest.FindStringSubmatch(cond)
	if m == nil || r.anyOf {
		return unknown
	}
	v, ok := parseVersion(m[3])
	if !ok {
		return unknown
	}
	if holds := r.version.atLeast(v[0], v[1]) == (m[2] == "atleast"); holds == (m[1] == "") {
		return yes
	}
	return no
}

// errNoSPOE tells that there is nothing to check.
var errNoSPOE = errors.New("haproxy: no frontend, backend or listen section has a line \"filter spoe … config FILE\": there is nothing that the agent could be asked by")
