//go:build unix

package haproxy_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

func checkText(t *testing.T, config string) ([]haproxy.Finding, error) {
	t.Helper()
	dir := put(t, map[string]string{"haproxy.cfg": config})
	return haproxy.Check(haproxy.Agent{}, haproxy.Sources{Configs: []string{filepath.Join(dir, "haproxy.cfg")}, LookupEnv: func(string) (string, bool) { return "", false }})
}

// TestCheckDoublingVariable: variables that double may not take all memory.
func TestCheckDoublingVariable(t *testing.T) {
	_, err := checkText(t, "global\n    setenv A aaaaaaaa\n"+strings.Repeat("    setenv A \"$A$A\"\n", 40))
	require.ErrorContains(t, err, "the variable A makes a word longer than 65536 bytes")
}

// TestCheckChainedDefaults: a chain of defaults sections is read once.
func TestCheckChainedDefaults(t *testing.T) {
	config := "defaults d0\n    mode http\n"
	for i := range 500 {
		config += fmt.Sprintf("defaults d%d from d%d\n    timeout client %ds\n", i+1, i, i+1)
	}
	for i := range 50 {
		config += fmt.Sprintf("frontend f%d from d500\n    http-request deny if { var(txn.a) -m found }\n", i)
	}
	start := time.Now()
	_, err := checkText(t, config)
	require.Error(t, err, "no filter line")
	assert.Less(t, time.Since(start), 20*time.Second)
}

// TestCheckPipe: a pipe may have no end.
func TestCheckPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err := haproxy.Check(haproxy.Agent{}, haproxy.Sources{Configs: []string{pipe}})
	require.ErrorContains(t, err, "is no regular file")
}

// TestCheckUnsetVariable: HAProxy makes an empty word of one, and the configuration
// is then another one.
func TestCheckUnsetVariable(t *testing.T) {
	for config, want := range map[string]string{
		"frontend f\n    bind \"$FRONT\"\n":                                    "haproxy.cfg:2: the environment variable FRONT is not set: set it as HAProxy will have it, or write \"${FRONT-DEFAULT}\"",
		"global\n    log \"${LOG}\" local0\n":                                  "haproxy.cfg:2: the environment variable LOG is not set",
		"frontend f\n    bind \"${FRONT-:80}\"\n":                              "so HAProxy asks no agent",
		"global\n    presetenv FRONT :80\nfrontend f\n    bind \"${FRONT}\"\n": "so HAProxy asks no agent",
		"frontend f\n    bind '${FRONT}' \"$HAPROXY_LOCALPEER\"\n":             "so HAProxy asks no agent",
	} {
		_, err := checkText(t, config)
		assert.ErrorContains(t, err, want, config)
	}
}
