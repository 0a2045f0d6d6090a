package auth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/auth"
)

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer abc.d-e_f":     "abc.d-e_f",
		"bearer  abc ":         "abc",
		"BEARER abc=":          "abc=",
		"Basic abc":            "",
		"Bearer":               "",
		"Bearer ":              "",
		"Bearer a b":           "",
		"Bearer a,b":           "",
		`Bearer "a"`:           "",
		"Bearerabc":            "",
		"":                     "",
		"Bearer " + long(8193): "",
	} {
		token, ok := auth.Bearer(header)
		assert.Equal(t, want != "", ok, header)
		if ok {
			assert.Equal(t, want, token, header)
		}
	}
	_, ok := auth.Bearer("Bearer " + long(8192))
	assert.True(t, ok)
}

func long(n int) string { return strings.Repeat("x", n) }

func TestBasic(t *testing.T) {
	name, password, ok := auth.Basic("basic Y2Fyb2w6YTpi")
	assert.True(t, ok)
	assert.Equal(t, "carol", name)
	assert.Equal(t, "a:b", password)
	for _, header := range []string{"", "Basic", "Basic !", "Basic Y2Fyb2w=", "Basic Y2Fyb2w6", "Basic OnNlY3JldA==", "Bearer Y2Fyb2w6YTpi", "Basic CjphYg=="} {
		_, _, ok := auth.Basic(header)
		assert.False(t, ok, header)
	}
}

func TestText(t *testing.T) {
	assert.Equal(t, "Zoë", auth.Text("Zoë"))
	for _, s := range []string{"a\nb", "a\x00", "\xff", long(1025)} {
		assert.Empty(t, auth.Text(s))
	}
	assert.Equal(t, []string{"staff"}, auth.Groups([]string{"a,b", "", "staff", "x\r\ny"}))
}
