package service_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// The program and the configuration of docs/service.md work as that page says, reload
// included.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../docs/service.md")
	require.NoError(t, err)
	page := string(b)
	_, code, ok := strings.Cut(page, "```go\n")
	require.True(t, ok)
	code, _, _ = strings.Cut(code, "```")
	source, err := os.ReadFile("internal/guard/main.go")
	require.NoError(t, err)
	assert.Contains(t, string(source), code, "internal/guard is the program of the page")
	assert.LessOrEqual(t, strings.Count(code, "\n"), 60, "lines")

	_, config, ok := strings.Cut(page, "    defaults\n")
	require.True(t, ok)
	config, _, _ = strings.Cut("    defaults\n"+config, "\n## ")
	config = strings.ReplaceAll(strings.ReplaceAll(config, "\n    ", "\n"), "bind 127.0.0.1:8080", `bind "{{addr "http"}}"`)
	config, _, _ = strings.Cut(strings.ReplaceAll(config, "127.0.0.1:8081", `{{addr "site"}}`), "\nThe agent's settings")

	program, file := buildGuard(t), filepath.Join(t.TempDir(), "guard.yaml")
	servicetest.WriteFile(t, file, "probes: [/.env, /.git/]\nlog-level: info\n")
	log := servicetest.NewBuffer()
	agent := exec.Command(program, "-config", file, "-listen", "127.0.0.1:0", "-admin-listen", "off", "-timeout", "5s")
	agent.Stderr = log
	require.NoError(t, agent.Start())
	defer agent.Wait()
	defer agent.Process.Kill()
	addr := log.Wait(t, `msg=ready addresses=\[([^\]\s]+)`)[1]
	written := func(part string) string {
		out, err := exec.Command(program, "-listen", addr, "-timeout", "5s", "-print-config="+part).Output()
		require.NoError(t, err)
		return string(out)
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Config: strings.TrimPrefix(config, "    "),
			Files:  map[string]string{"spoe.conf": written("spoe"), "agents.cfg": written("backend")},
			Args:   []string{"-f", "agents.cfg"},
		})
		servicetest.WriteFile(t, file, "probes: [/.env]\n")
		require.Eventually(t, func() bool { return h.Get("/wp-login.php").Status == 200 }, servicetest.Patience, 50*time.Millisecond)
		assert.Equal(t, 403, h.Get("/.env").Status)
		servicetest.WriteFile(t, file, "probes: [/.env, /wp-login.php]\n")
		require.Eventually(t, func() bool { return h.Get("/wp-login.php").Status == 403 }, servicetest.Patience, 50*time.Millisecond)
	})
}
