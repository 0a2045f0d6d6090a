package syntax

import (
	"fmt"
	"regexp"
)

// truth is the known truth of a condition.
type truth int

const (
	unknown truth = iota
	yes
	no
)

// branches are the open .if lines, the innermost last: the state of the current branch,
// whether HAProxy certainly takes an earlier one, and whether it may take one.
type branches []struct {
	branch       truth
	taken, doubt bool
}

// off reports whether a line is in a branch that is skipped. A branch with an unknown
// condition is read.
func (c branches) off() bool {
	for _, o := range c {
		if o.branch == no {
			return true
		}
	}
	return false
}

// doubtful reports whether a line is in a branch with an unknown condition.
func (c branches) doubtful() bool {
	for _, o := range c {
		if o.branch == unknown {
			return true
		}
	}
	return false
}

func (c *branches) apply(word string, holds func() truth) error {
	switch word {
	case ".if":
		*c = append(*c, struct {
			branch       truth
			taken, doubt bool
		}{})
	case ".elif", ".else", ".endif":
		if len(*c) == 0 {
			return fmt.Errorf("%s without an .if", word)
		}
	default: // .notice, .warning, .alert, .diag
		return nil
	}
	last := &(*c)[len(*c)-1]
	t := yes
	switch {
	case word == ".endif":
		*c = (*c)[:len(*c)-1]
		return nil
	case last.taken:
		t = no
	case word != ".else":
		t = holds()
	}
	last.branch = t
	if t == yes && last.doubt {
		last.branch = unknown
	}
	last.taken = last.taken || t == yes
	last.doubt = last.doubt || t == unknown
	return nil
}

var versionTest = regexp.MustCompile(`^(!?)\s*version_(atleast|before)\(([^)]*)\)$`)

// holds returns the known truth of a condition.
func (r *Reader) holds(cond string) truth {
	switch cond {
	case "1", "true":
		return yes
	case "", "0", "false":
		return no
	}
	m := versionTest.FindStringSubmatch(cond)
	if m == nil || r.AnyOf {
		return unknown
	}
	v, ok := ParseVersion(m[3])
	if !ok {
		return unknown
	}
	if holds := r.Version.AtLeast(v[0], v[1]) == (m[2] == "atleast"); holds == (m[1] == "") {
		return yes
	}
	return no
}
