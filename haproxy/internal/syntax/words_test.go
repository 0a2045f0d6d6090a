package syntax_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

func TestWords(t *testing.T) {
	getenv := func(name string) (string, bool) {
		v, ok := map[string]string{"A": "x y", "B1": " x  y ", "EMPTY": ""}[name]
		return v, ok
	}
	for line, want := range map[string]string{
		"":                                  "",
		"  # nothing":                       "",
		"bind\t:80  ssl\r\n":                "bind|:80|ssl",
		"a#b c":                             "a",
		`a\#b c\ d \\`:                      `a#b|c d|\`,
		`'a "b" \ #' c`:                     `a "b" \ #|c`,
		`"a 'b' \"c\" \\ #"d e`:             `a 'b' "c" \ #d|e`,
		`"" ''`:                             "|",
		`"$A" "${A}" "${B-z}" "${B}" "`:     "ERROR a double quote that is not closed",
		`"$A" "${A}" "${B-z}" "${B}" $A`:    "x y|x y|z||$A",
		`"${EMPTY-z}" "\$A" '$A' \$A $`:     `|$A|$A|\$A|$`,
		`"p${A[*]}q" "${B1[*]}${B[*]-u v}"`: "px|yq||x|y|u|v",
		`"$A.x" "$.LINE" "${.FILE}"`:        "x y.x||",
		`"${A`:                              "ERROR the brace behind a '$' is not closed",
		`"${A?}"`:                           "ERROR the brace behind a '$' is not closed",
		`"a$"`:                              "ERROR a '$' without the name of a variable behind it",
		`"${1}"`:                            "ERROR a '$' without the name of a variable behind it",
		`'a`:                                "ERROR a single quote that is not closed",
		`a\tb "\n"`:                         "a\tb|\n",
		`x\`:                                `x\`,
		`a\.b "\1" \'\" "\ " \x41\x4 "\x4"`: `a\.b|\1|'"| |A\x4|\x4`,
		`acl a hdr(host) -m str "a b" # no`: "acl|a|hdr(host)|-m|str|a b",
	} {
		got, err := syntax.Words(line, getenv)
		text := strings.Join(got, "|")
		if err != nil {
			text = "ERROR " + err.Error()
		}
		assert.Equal(t, want, text, line)
	}
}

// TestRawWords: the words of a line, with the quotes and backslashes that are in it.
func TestRawWords(t *testing.T) {
	for line, want := range map[string]string{
		"":                           "",
		" if  { path /a } ":          "if|{|path|/a|}",
		`{ path "/a b" '/c # d' } #`: `{|path|"/a b"|'/c # d'|}`,
		`a\ b \#c "" x"y z"'u v'`:    `a\ b|\#c|""|x"y z"'u v'`,
		`\\ \n\x41`:                  `\\|\n\x41`,
		"a#b":                        "a",
	} {
		words, err := syntax.RawWords(line)
		assert.NoError(t, err, line)
		assert.Equal(t, want, strings.Join(words, "|"), line)
	}
	_, err := syntax.RawWords(`a "b`)
	assert.Error(t, err)
}
