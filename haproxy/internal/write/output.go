package write

import (
	"slices"
	"strings"

	"github.com/spoke-go/spoke/internal/wrap"
)

// text is a configuration that is being written.
type text struct{ strings.Builder }

func (t *text) line(words ...string) {
	t.WriteString(strings.TrimRight(strings.Join(words, " "), " ") + "\n")
}

// maxList is the maximum number of words that are written after a keyword; HAProxy
// reads up to 64 in a line.
const maxList = 60

// list writes a keyword followed by words, in several lines if they are too many for
// one.
func (t *text) list(keyword string, names []string) {
	for part := range slices.Chunk(names, maxList) {
		t.line(keyword, strings.Join(part, " "))
	}
}

// comment writes a comment on separate lines, each after the indent.
func (t *text) comment(indent, s string) {
	for _, line := range wrap.Lines(indent+"# ", indent+"# ", s) {
		t.line(line)
	}
}
