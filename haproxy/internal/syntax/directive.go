package syntax

import (
	"slices"
	"strings"
)

// Directive is a line of a configuration that is not empty.
type Directive struct {
	File  string
	Line  int
	Words []string
	Maybe bool // in a branch of an .if with an unknown condition
}

// Text returns the words as one line again, for searching.
func (d *Directive) Text() string { return strings.Join(d.Words, " ") }

// Is reports whether the directive begins with these words.
func (d *Directive) Is(words ...string) bool {
	return len(d.Words) >= len(words) && slices.Equal(d.Words[:len(words)], words)
}

// Second returns the second word, such as the name of a server or an ACL, or "".
func (d *Directive) Second() string {
	if len(d.Words) < 2 {
		return ""
	}
	return d.Words[1]
}

// after returns the word after the first w, or "".
func (d *Directive) after(w string) string {
	if i := slices.Index(d.Words, w); i >= 0 && i+1 < len(d.Words) {
		return d.Words[i+1]
	}
	return ""
}
