package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	code       = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	unanchored = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)
)

// TestLinks: each link of each page to a file of the repository, and to a heading, leads
// there.
func TestLinks(t *testing.T) {
	links := 0
	require.NoError(t, filepath.WalkDir("..", func(page string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(page, ".md") {
			return err
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			name, anchor, _ := strings.Cut(m[1], "#")
			to := page
			if name != "" {
				to = filepath.Join(filepath.Dir(page), name)
				_, err := os.Stat(to)
				assert.NoError(t, err, "%s has the link %s", page, m[1])
			}
			if anchor != "" {
				assert.Contains(t, anchors(t, to), anchor, "%s has the link %s", page, m[1])
			}
		}
		return nil
	}))
	require.Greater(t, links, 50)
}

// anchors returns the anchors that GitHub makes of a page's headings.
func anchors(t *testing.T, page string) []string {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var found []string
	for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
		found = append(found, strings.ReplaceAll(unanchored.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return found
}
