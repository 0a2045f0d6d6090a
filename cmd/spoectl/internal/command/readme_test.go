package command_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// ipReputation answers as examples/ip-reputation does with its sample lists.
func ipReputation(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	v, _ := msg.Args.Lookup("ip")
	score, list := int64(0), "blocklist"
	if v.String() == "203.0.113.10" {
		score, list = 50, "suspects"
	}
	if err := acts.SetInt(codec.ScopeSession, "ip_score", score); err != nil {
		return err
	}
	return acts.SetString(codec.ScopeSession, "ip_list", list)
}

var took = regexp.MustCompile(`answered in \S+`)

// TestREADME runs the commands of README.md's console blocks.
func TestREADME(t *testing.T) {
	agent := serve(t, loopback, func(a *spoe.Agent) { a.Handler = spoe.HandlerFunc(ipReputation) })
	b, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(string(b), -1)
	require.Len(t, blocks, 3)
	quoted := regexp.MustCompile(`'[^']*'|\S+`)
	for _, block := range blocks {
		for _, example := range strings.Split(block[1], "$ spoectl ")[1:] {
			line, want, _ := strings.Cut(example, "\n")
			var args []string
			for _, w := range quoted.FindAllString(line, -1) {
				args = append(args, strings.Trim(strings.ReplaceAll(w, "127.0.0.1:9000", agent), "'"))
			}
			r := run(t, args...)
			assert.Zero(t, r.status, r.err)
			assert.Equal(t, took.ReplaceAllString(want, "answered in"), took.ReplaceAllString(r.out, "answered in"), line)
		}
	}
}
