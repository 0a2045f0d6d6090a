package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMutate: each kind of change, and none in a tag or an import.
func TestMutate(t *testing.T) {
	const src = `package p

import "fmt"

type t struct {
	a [4]int ` + "`spoe:\"a\"`" + `
}

func f(a, b int) bool {
	c := 1
	c = a + 2
	a++
	fmt.Println(a)
	return a < b && !(c == 0) || true
}
`
	all, err := mutate("p.go", []byte(src))
	require.NoError(t, err)
	var got []string
	for _, m := range all {
		got = append(got, m.String())
	}
	assert.ElementsMatch(t, []string{
		`p.go:11: without "c = a + 2"`, `p.go:12: without "a++"`, `p.go:13: without "fmt.Println(a)"`,
		`p.go:10: "2" for "1"`, `p.go:11: "-" for "+"`, `p.go:11: "3" for "2"`,
		`p.go:14: "&&" for "||"`, `p.go:14: "||" for "&&"`, `p.go:14: "<=" for "<"`, `p.go:14: without "!"`,
		`p.go:14: "!=" for "=="`, `p.go:14: "1" for "0"`, `p.go:14: "false" for "true"`,
	}, got)
	_, err = mutate("p.go", []byte("no Go"))
	assert.Error(t, err)
}

// TestRun: the change of a rule that a test holds is noticed, the others survive, unless
// a further package's test holds them.
func TestRun(t *testing.T) {
	all, err := mutantsOf("testdata/sample")
	require.NoError(t, err)
	require.Len(t, all, 4)
	r := runner{tests: []string{"testdata/sample"}, timeout: time.Minute}
	require.NoError(t, r.run(t.Context(), all, 0))
	assert.Equal(t, 4, r.tried)
	assert.Equal(t, 2, r.survived)
	r = runner{tests: []string{"testdata/sample", "testdata/user"}, timeout: time.Minute}
	require.NoError(t, r.run(t.Context(), all, 0))
	assert.Equal(t, 4, r.tried)
	assert.Zero(t, r.survived)
}
