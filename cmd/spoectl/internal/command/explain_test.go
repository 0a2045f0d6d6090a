package command_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExplain(t *testing.T) {
	const line = "<4>haproxy[12]: SPOE: [ip-agent] <EVENT:on-frontend-http-request> sid=7 st=1 0/1/-1/0/500 1/2 0/3 1/4"
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"number", []string{"257"}},
		{"both", []string{"4"}},
		{"st", []string{"st=4"}},
		{"status", []string{"status", "4"}},
		{"line", []string{line}},
		{"json", []string{"--json", "st=265"}},
		{"own", []string{"st=1000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, append([]string{"explain"}, tt.args...)...)
			require.Zero(t, r.status, r.err)
			golden(t, "explain-"+tt.name, r.out)
		})
	}
	t.Run("several", func(t *testing.T) {
		r := run(t, "explain", "257", "st=1")
		require.Zero(t, r.status, r.err)
		assert.Contains(t, r.out, "st=257")
		assert.Contains(t, r.out, "st=1: a timeout")
	})
	t.Run("unquoted", func(t *testing.T) {
		assert.Contains(t, run(t, append([]string{"explain"}, strings.Fields(line)...)...).out, "st=1: a timeout")
	})
	t.Run("log", func(t *testing.T) {
		r := runWith(t.Context(), strings.NewReader("nothing\n"+line+"\n"+line+"\nst=257\n"), "explain")
		require.Zero(t, r.status, r.err)
		assert.Equal(t, 1, strings.Count(r.out, "st=1: a timeout"))
		assert.Contains(t, r.out, "st=257")
	})
}
