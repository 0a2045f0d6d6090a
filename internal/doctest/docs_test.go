// Package docs_test (in internal/doctest) runs what the documentation says. In it, a comment in front
// of a code block says how the test uses it:
//
//	<!-- file: NAME -->          the content of that file
//	<!-- run -->                 commands behind "$ ", each with the output that
//	                             it must have; … stands for any text
//	<!-- run: terminal NAME -->  the same, but the command goes on until
//	<!-- interrupt: NAME -->     which is Ctrl-C, or until the page's end
//	<!-- says: NAME: TEXT -->    that terminal shows the text
//	<!-- program -->             a Go program of its own, which must compile
//	<!-- part: PATH -->          lines of that file, as they stand there
package docs_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables in binding.md, and what the programs of cookbook write")

// The pages' links are relative to docs, so the tests run there.
func init() {
	if err := os.Chdir("../../docs"); err != nil {
		panic(err)
	}
}

// block is a code block, or an order without one.
type block struct {
	what string // such as "run" or "file"
	arg  string
	text string
	line int
}

var marker = regexp.MustCompile(`^<!-- ([a-z]+)(?:: (.*))? -->$`)

// blocks returns the blocks of a page that have a marker.
func blocks(t *testing.T, page string) (found []block) {
	t.Helper()
	b, err := os.ReadFile(page)
	require.NoError(t, err)
	lines := strings.Split(string(b), "\n")
	for i := 0; i < len(lines); i++ {
		m := marker.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		bl := block{what: m[1], arg: m[2], line: i + 1}
		if strings.HasPrefix(lines[i+1], "```") {
			i++
			from := i + 1
			for i++; lines[i] != "```"; i++ {
			}
			bl.text = strings.Join(lines[from:i], "\n") + "\n"
		}
		found = append(found, bl)
	}
	require.NotEmpty(t, found, page)
	return found
}
