package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tapEnv is the path of a spoectl. With it, HAProxy reaches each agent through a
// `spoectl tap` of its own, and no test may notice: tap changes nothing but
// latency. `make tap` sets it.
const tapEnv = "SPOKE_TAP"

// tapped returns cfg with the addresses of taps in place of the agents'. They end
// with the test. Without tapEnv it returns cfg as it is.
//
// Taps know nothing of TLS: they pass it on as HAProxy and the agent speak it, so
// that either sees the other's certificate.
func tapped(t *testing.T, cfg haproxytest.Config) haproxytest.Config {
	t.Helper()
	spoectl := os.Getenv(tapEnv)
	if spoectl == "" {
		return cfg
	}
	if addr, _, _ := strings.Cut(cfg.Agent, " "); addr != "" {
		cfg.Agent = startTap(t, spoectl, addr) + strings.TrimPrefix(cfg.Agent, addr) // and the rest of the server line
	}
	if data, ok := cfg.Data.(loadedData); ok {
		taps := map[string]string{}
		for name, addr := range data.Agents {
			taps[name] = startTap(t, spoectl, addr)
		}
		data.Agents = taps
		cfg.Data = data
	}
	return cfg
}

// startTap returns when a tap listens, and its address. The tap's address is of the agent's
// kind, and both are written as on a server line.
func startTap(t *testing.T, spoectl, agent string) string {
	t.Helper()
	listen, to := "127.0.0.1:0", agent
	switch kind, name, _ := strings.Cut(agent, "@"); kind {
	case "unix":
		dir, err := os.MkdirTemp("", "e2e-") // t.TempDir is too long for a socket
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
		listen, to = "unix:"+filepath.Join(dir, "tap.sock"), "unix:"+name
	case "abns":
		listen, to = fmt.Sprintf("unix:@spoke-e2e-tap-%d-%d", os.Getpid(), rand.Uint32()), "unix:@"+name
	}
	p := haproxytest.StartProgram(t, exec.Command(spoectl, "tap", listen, to, "--quiet"))
	t.Cleanup(func() { // HAProxy, which starts after it, ends before
		p.Stop(syscall.SIGTERM, waitLimit)
		assert.Regexp(t, `\nspoectl tap: [1-9]\d* connections, .*\n$`, p.Output(), "HAProxy does not come through tap")
	})
	p.WaitOutput("listening on ")
	listens := tapListens.FindStringSubmatch(p.Output())
	require.NotNil(t, listens, "%s", p.Output())
	return strings.NewReplacer("unix:@", "abns@", "unix:", "unix@").Replace(listens[1])
}

var tapListens = regexp.MustCompile(`^spoectl tap: listening on (\S+) for `)

// TestTapped holds tests to startHAProxy or tapped: others would reach their
// agents past tap.
func TestTapped(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if text := string(b); strings.Contains(text, "spoetest."+"StartHAProxy(") {
			assert.Contains(t, text, "tapped"+"(t, ", "%s: start HAProxy by startHAProxy", name)
		}
	}
}
