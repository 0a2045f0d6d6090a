package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	main "github.com/spoke-go/spoke/examples/sso"
)

// once runs the program with flags that end it by themselves.
func once(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	var b strings.Builder
	status = main.Run(t.Context(), time.Now, nil, args, nil, &b, &b)
	return status, b.String()
}

// TestFilesAreGenerated: the agent itself has written its part, and haproxy.cfg has each
// line of it in its order.
func TestFilesAreGenerated(t *testing.T) {
	printed := func(part string) string {
		status, out := once(t, "-print-config="+part)
		require.Zero(t, status, out)
		return out
	}
	assert.Equal(t, printed("spoe"), haproxytest.ReadConfig(t, "spoe.conf"), "run go generate")
	assert.Equal(t, printed("backend"), haproxytest.ReadConfig(t, "agents.cfg"), "run go generate")
	rest := haproxytest.ReadConfig(t, "haproxy.cfg")
	for line := range strings.Lines(printed("frontend")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		_, after, found := strings.Cut(rest, "\n    "+line+"\n")
		assert.True(t, found, "haproxy.cfg has no line %q", line)
		rest = "\n" + after
	}
}

// TestFilesFit: the files fit the agent, and no HAProxy warns.
func TestFilesFit(t *testing.T) {
	status, out := once(t, "-check-config", "agents.cfg,haproxy.cfg")
	assert.Zero(t, status, out)
	assert.Empty(t, out)
}
