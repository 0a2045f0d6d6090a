//go:build unix && !race

package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

const cookbookPage = "haproxy.md"

// TestCookbookParts: each part of a file that the page shows stands in the file that it
// names.
func TestCookbookParts(t *testing.T) {
	shown := 0
	for _, b := range blocks(t, cookbookPage) {
		if b.text != "" {
			shown++
		}
		switch b.what {
		case "part":
			assert.Contains(t, "\n"+recipes.ReadFile(t, "../"+b.arg), "\n"+b.text, "%s:%d: %s has no such lines", cookbookPage, b.line, b.arg)
		case "file": // of the folder that the page's reader ends up with
			assert.Equal(t, recipes.ReadFile(t, filepath.Join("../examples/cookbook/start", b.arg)), b.text, "%s:%d", cookbookPage, b.line)
		}
	}
	fences := regexp.MustCompile("(?m)^```[a-z]+$").FindAllString(recipes.ReadFile(t, cookbookPage), -1)
	assert.Len(t, fences, shown, "each block has a marker")
}

// TestCookbookLinks: the page's links lead somewhere.
func TestCookbookLinks(t *testing.T) {
	text := recipes.ReadFile(t, cookbookPage)
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^##+ (.*)$`).FindAllStringSubmatch(text, -1) {
		anchors["#"+strings.ReplaceAll(strings.ToLower(regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(m[1], "")), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		to, _, _ := strings.Cut(m[1], "#")
		switch {
		case strings.HasPrefix(m[1], "https://"):
		case to == "":
			assert.True(t, anchors[m[1]], "no heading %s", m[1])
		default:
			_, err := filepath.EvalSymlinks(to)
			assert.NoError(t, err)
		}
	}
	for name := range cookbook {
		dir, _, _ := strings.Cut(name, "/")
		assert.Contains(t, text, "../examples/cookbook/"+dir, "the page has no recipe of that folder")
	}
}

// TestCookbookStart does what a new user does, from the page alone: as
// TestFirstAgent does with another page.
func TestCookbookStart(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	command := recipes.Module(t, "cmd/spoectl")
	todo := blocks(t, cookbookPage)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Parallel()
		agent := freeAddr(t)
		r := newReader(t, cookbookPage, root, bin,
			"127.0.0.1:8081", freeAddr(t), "127.0.0.1:9000", agent,
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
