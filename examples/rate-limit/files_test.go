//go:build unix

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// The agent itself wrote its side of the files, the rules with the 429 among them.
func TestFilesAreGenerated(t *testing.T) {
	servicetest.CheckFiles(t, agent())
	_, rules, _ := servicetest.Once(t, agent(), nil, "-print-config=frontend")
	for _, want := range []string{" deny_status 429 ", " Retry-After ", " set-header RateLimit ", " set-header RateLimit-Policy "} {
		assert.Contains(t, rules, want)
	}
}

// Each HAProxy takes the files.
func TestFilesFit(t *testing.T) {
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
