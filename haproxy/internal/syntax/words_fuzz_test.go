package syntax_test

import (
	"strings"
	"testing"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzWords: words that are split and quoted again split into the same words.
func FuzzWords(f *testing.F) {
	for _, line := range []string{"bind :80 ssl # no", `a\ b "c\"d" 'e f'`, `"${A[*]}" "${B-x y}" "$A"`, `\x41\. "`} {
		f.Add(line)
	}
	getenv := func(name string) (string, bool) { return "x  y", name == "A" }
	f.Fuzz(func(t *testing.T, line string) {
		words, err := syntax.Words(line, getenv)
		if err != nil {
			return
		}
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		again, err := syntax.Words(strings.Join(quoted, " "), nil)
		require.NoError(t, err)
		assert.Equal(t, words, again)
	})
}
