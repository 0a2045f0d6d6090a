package haproxy

import (
	"slices"
	"strings"
)

// directive is a line of a configuration that is not empty.
type directive struct {
	file  string
	line  int
	words []string
	maybe bool // in a branch of an .if of which nothing is known
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
