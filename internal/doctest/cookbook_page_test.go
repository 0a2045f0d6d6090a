//go:build unix && !race

package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

// startPage is the page that begins with an empty folder.
const startPage = "recipes/three-messages.md"

// cookbookPages returns the index of the cookbook and the pages of its recipes.
func cookbookPages(t *testing.T) []string {
	pages, err := filepath.Glob("recipes/*.md")
	require.NoError(t, err)
	require.Greater(t, len(pages), 10)
	return append(pages, "haproxy.md")
}

// TestCookbookParts: each part of a file that a page shows stands in the file that it
// names.
func TestCookbookParts(t *testing.T) {
	for _, name := range cookbookPages(t) {
		shown := 0
		text := recipes.ReadFile(t, name)
		fences := regexp.MustCompile("(?m)^```[a-z]+$").FindAllString(text, -1)
		if len(fences) > 0 {
			for _, b := range blocks(t, name) {
				if b.text != "" {
					shown++
				}
				switch b.what {
				case "part":
					assert.Contains(t, "\n"+recipes.ReadFile(t, "../"+b.arg), "\n"+b.text, "%s:%d: %s has no such lines", name, b.line, b.arg)
				case "file": // of the folder that the page's reader ends up with
					assert.Equal(t, recipes.ReadFile(t, filepath.Join("../examples/cookbook/start", b.arg)), b.text, "%s:%d", name, b.line)
				}
			}
		}
		assert.Len(t, fences, shown, "%s: each block has a marker", name)
	}
}

// TestCookbookFolders: each folder of examples/cookbook has its recipe, and the index
// names each recipe.
func TestCookbookFolders(t *testing.T) {
	var text strings.Builder
	index := recipes.ReadFile(t, "haproxy.md")
	for _, name := range cookbookPages(t) {
		text.WriteString(recipes.ReadFile(t, name))
		if name != "haproxy.md" {
			assert.Contains(t, index, "]("+name+")")
		}
	}
	for name := range cookbook {
		dir, _, _ := strings.Cut(name, "/")
		assert.Contains(t, text.String(), "../examples/cookbook/"+dir, "no recipe names that folder")
	}
}

// TestCookbookStart does what a new user does, from the page alone: as
// TestFirstAgent does with another page.
func TestCookbookStart(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	command := recipes.Module(t, "cmd/spoectl")
	todo := blocks(t, startPage)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Parallel()
		agent := freeaddr.Find(t)
		r := newReader(t, startPage, root, bin,
			"127.0.0.1:8081", freeaddr.Find(t), "127.0.0.1:9000", agent,
			" > agents.cfg", " | sed s/127.0.0.1:9000/"+agent+"/ > agents.cfg",
			"go install -C ../spoke/cmd/spoectl .", "test -x "+command,
			"spoectl check", command+" check")
		for _, b := range todo {
			if b.what != "part" {
				r.do(b)
			}
		}
	})
}
