package syntax

import (
	"fmt"
	"regexp"
	"slices"
)

// truth is the known truth of a condition.
type truth int

const (
	unknown truth = iota
	yes
	no
)

// branch is an open .if line: the state of its current branch, whether HAProxy certainly
// takes an earlier one, and whether it may take one.
type branch struct {
	state        truth
	taken, doubt bool
}

// branches are the open .if lines, the innermost last.
type branches []branch

// off reports whether a line is in a branch that is skipped. A branch with an unknown
// condition is read.
func (c branches) off() bool { return c.any(no) }

// doubtful reports whether a line is in a branch with an unknown condition.
func (c branches) doubtful() bool { return c.any(unknown) }

func (c branches) any(state truth) bool {
	return slices.ContainsFunc(c, func(b branch) bool { return b.state == state })
}

func (c *branches) apply(word string, holds func() truth) error {
	switch word {
	case ".if":
		*c = append(*c, branch{})
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
	last.state = t
	if t == yes && last.doubt {
		last.state = unknown
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
