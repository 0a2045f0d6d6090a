package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// habits are forms of English that hide the actor or the thing, and the advice for
// each. They hold in comments, in pages, and in the texts of programs.
var habits = []struct {
	pattern *regexp.Regexp
	advice  string
}{
	{regexp.MustCompile(`(?:^|[.:;] )[Ww]hat(?:ever)?\b`), "name the thing instead of what: \"the last frame has been queued\""},
	{regexp.MustCompile(`(?:^|[.:;] )(?:[Tt]hose|[Tt]he ones?|[Tt]hat) (?:that|which|who|of|in|with|without|whose)\b`), "begin the sentence with a noun"},
	{regexp.MustCompile(`(?:^|[.:;] )(?:[Oo]nes? (?:that|which|who|whose)|[Ww]ho (?:has|is|does|wants|asks|sends))\b`), "begin the sentence with a noun"},
	{regexp.MustCompile(`(?:^|[.:;] )(?:[Tt]hose|[Oo]nes?) (?:is|are|was|were|has|have|can|may|would|must|get|gets|do|does|come|comes)\b`), "begin the sentence with a noun"},
	{regexp.MustCompile(`\b[Tt]hose (?:that|which|who)\b`), "write the noun instead of those: \"messages that …\""},
	{regexp.MustCompile(`\btells (?:whether|if)\b`), "write: reports whether"},
	{regexp.MustCompile(`\b(?:has|have|had) (?:it|them|him|(?:the|its|a|an|all|every|each|no) \w+) (?:done|made|written|read|handled|sent|closed|called|checked|told|built|compared|started|restarted|ended)\b`), "name the actor: \"the router calls it\" instead of \"has it called\""},
	{regexp.MustCompile(`\b(?:has|have|had) (?:HAProxy|it|them|(?:each|every) \w+) (?:send|ask|write|read|make|take|close|check|begin|end|come|call|retry|use|drop|keep|connect|run|find|look|wait|set)\b`), "write: makes, or lets"},
	{regexp.MustCompile(`\b(?:is|are|was|were) to (?:be|have|go|stay|end|come|leave|stop|keep|tell)\b`), "write must, should or will, or name the actor"},
	{regexp.MustCompile(`\b(?:is|are|was|be|been) told\b`), "name the actor and the verb: configure, report, print"},
	{regexp.MustCompile(`\bwhat (?:is|was) wrong\b|\bwhat becomes of\b`), "write: the mistake, the error, the result"},
	{regexp.MustCompile(`^(?:(?:An?|The) )?\w+ (?:is|are) (?:what|when|where|who|how \w+)\b`), "name the thing: the message, the time, the place, the sender, the maximum number"},
	{regexp.MustCompile(`\bwhat (?:the )?\w+ (?:has|have|had) \w+`), "name the thing: the bytes that the reader read"},
	{regexp.MustCompile(`\bbehind (?:the (?:ACKs?|answer|end|first|last|verdict)\b|')`), "write: after"},
	{regexp.MustCompile(`\b[Bb]esides\b`), "write: in addition to, also, other"},
	{regexp.MustCompile(`\b(?:turn(?:s|ed)? (?:\w+ )?away|(?:go|goes|gone|went) well)\b`), "write: reject, succeed"},
	{regexp.MustCompile(`\b(?:[Tt]akes? (?:it|them) out|for sure)\b`), "write: remove, certainly"},
	{regexp.MustCompile(`\b(?:[Nn]obody|[Ww]hoever|[Ww]homever)\b`), "negate the verb, or name the actor"},
	{regexp.MustCompile(`\b(?:goodbye|by hand|thereby|spared|as good as|in silence|without a word|and (?:its|their) kin|rooms?)\b|(?:HAProxy's|their own|its own|other) half\b`), "use the engineers' word: DISCONNECT, again, space, HAProxy's configuration"},
}

// fewWords is the number of words below which text is a label and no sentence.
const fewWords = 5

// TestEnglish looks for the habits in comments, in texts of programs, and in pages.
// A question may begin with what, and so may a label or a heading.
func TestEnglish(t *testing.T) {
	atRoot(t)
	sentences := 0
	for _, p := range prose(t) {
		for _, sentence := range split(p.text) {
			if strings.Count(sentence, " ")+1 < fewWords {
				continue
			}
			sentences++
			for _, h := range habits {
				found := h.pattern.FindString(sentence)
				question := strings.HasSuffix(sentence, "?") && strings.Contains(strings.ToLower(found), "wh")
				if found != "" && !question {
					assert.Fail(t, "English", "%s:%d: %q in %q: %s", p.file, p.line, strings.TrimLeft(found, ".:; "), sentence, h.advice)
				}
			}
		}
	}
	require.Greater(t, sentences, 3000)
}

// paragraph is prose on one line, without code.
type paragraph struct {
	file string
	line int
	text string
}

// split cuts text into sentences.
func split(text string) []string {
	var sentences []string
	start := 0
	for _, at := range sentenceEnd.FindAllStringIndex(text, -1) {
		sentences = append(sentences, text[start:at[0]+1])
		start = at[1]
	}
	return append(sentences, text[start:])
}

var (
	sentenceEnd = regexp.MustCompile(`[.!?] `)
	codeSpan    = regexp.MustCompile("`[^`]*`")
)

// prose returns the paragraphs of all pages and Go files of the repository.
func prose(t *testing.T) []paragraph {
	var all []paragraph
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".md"):
			all = append(all, page(t, name)...)
		case strings.HasSuffix(name, ".go") && name != "internal/house/english_test.go":
			all = append(all, source(t, name)...)
		}
		return nil
	}))
	return all
}

// page returns the paragraphs of a markdown file, without its blocks of code.
func page(t *testing.T, name string) []paragraph {
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return paragraphs(name, 1, strings.Split(string(b), "\n"))
}

// source returns the comments of a Go file and, unless it is a test, its texts of several
// words.
func source(t *testing.T, name string) []paragraph {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	var all []paragraph
	for _, c := range f.Comments {
		all = append(all, paragraphs(name, fset.Position(c.Pos()).Line, strings.Split(c.Text(), "\n"))...)
	}
	if strings.HasSuffix(name, "_test.go") {
		return all
	}
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && strings.Count(text, " ") >= 3 {
			all = append(all, paragraphs(name, fset.Position(lit.Pos()).Line, strings.Split(text, "\n"))...)
		}
		return true
	})
	return all
}

// paragraphs joins lines of prose, the first of which has the given number. It
// leaves out fenced and indented code, and code between backticks.
func paragraphs(file string, first int, lines []string) []paragraph {
	var all []paragraph
	var text []string
	start, fenced := 0, false
	flush := func() {
		if len(text) > 0 {
			all = append(all, paragraph{file, start, codeSpan.ReplaceAllString(strings.Join(text, " "), "`…`")})
			text = nil
		}
	}
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		fence := strings.HasPrefix(trimmed, "```")
		code := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ")
		item := strings.HasPrefix(trimmed, "- ") || strings.HasPrefix(trimmed, "|") || strings.HasPrefix(trimmed, "#")
		if fence || fenced || code || item || trimmed == "" {
			flush()
		}
		if fence {
			fenced = !fenced
		}
		if fence || fenced || code || strings.HasPrefix(trimmed, "#") {
			continue
		}
		for _, cell := range strings.Split(trimmed, " | ") {
			if cell = strings.Trim(cell, "-|* "); cell == "" {
				continue
			}
			if len(text) == 0 {
				start = first + i
			}
			text = append(text, cell)
			if strings.HasPrefix(trimmed, "|") {
				flush()
			}
		}
	}
	flush()
	return all
}
