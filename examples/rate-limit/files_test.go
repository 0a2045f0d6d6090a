//go:build unix

package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// The agent itself has written its side of the files.
func TestFilesAreGenerated(t *testing.T) {
	assert.Equal(t, printed(t, "-print-config=spoe"), haproxytest.ReadConfig(t, "spoe.conf"), "run go generate")
	assert.Equal(t, printed(t, "-print-config=backend"), haproxytest.ReadConfig(t, "agents.cfg"), "run go generate")

	// The rest is lines of haproxy.cfg's frontend.
	rest := haproxytest.ReadConfig(t, "haproxy.cfg")
	for line := range strings.Lines(printed(t, "-print-config=frontend")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		_, after, found := strings.Cut(rest, "\n    "+line+"\n")
		assert.True(t, found, "haproxy.cfg has no line %q", line)
		rest = after
	}
}

// Each HAProxy takes the files, and the agent finds that they fit.
func TestFilesFit(t *testing.T) {
	assert.Empty(t, printed(t, "-check-config", "agents.cfg,haproxy.cfg"))
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		warnings, err := haproxytest.Check(t, bin, haproxytest.Config{
			Config: haproxytest.ReadConfig(t, "haproxy.cfg"),
			Files:  map[string]string{"spoe.conf": haproxytest.ReadConfig(t, "spoe.conf"), "agents.cfg": haproxytest.ReadConfig(t, "agents.cfg")},
			Args:   []string{"-f", "agents.cfg"},
		})
		require.NoError(t, err)
		assert.Empty(t, warnings)
	})
}
