package haproxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/haproxy"
)

func TestWords(t *testing.T) {
	getenv := func(name string) (string, bool) {
		v, ok := map[string]string{"A": "x y", "EMPTY": ""}[name]
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
		`"$A" "${A}" "${B-z}" "${B}" "${A`:  "ERROR a double quote that is not closed",
		`"$A" "${A}" "${B-z}" "${B}" $A`:    "x y|x y|z||$A",
		`"${EMPTY-z}" "$" "\$A" "${A"`:      `|$|$A|${A`,
		`'a`:                                "ERROR a single quote that is not closed",
		`a\tb "\n"`:                         "a\tb|\n",
		`x\`:                                `x\`,
		`acl a hdr(host) -m str "a b" # no`: "acl|a|hdr(host)|-m|str|a b",
	} {
		got, err := haproxy.Words(line, getenv)
		text := strings.Join(got, "|")
		if err != nil {
			text = "ERROR " + err.Error()
		}
		assert.Equal(t, want, text, line)
	}
}
