package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPrograms has go vet look at the programs of the pages, each of which has
// to be whole.
func TestPrograms(t *testing.T) {
	programs := 0
	for _, page := range []string{"../README.md", "middleware.md", "migration.md", "router.md"} {
		for _, b := range blocks(t, page) {
			if b.what != "program" {
				continue
			}
			programs++
			file := filepath.Join(t.TempDir(), "main.go")
			require.NoError(t, os.WriteFile(file, []byte(b.text), 0o644))
			where := fmt.Sprintf("%s:%d", page, b.line)

			// Its imports are found from here, this being Spoke's module.
			out, err := exec.Command("go", "vet", file).CombinedOutput()
			assert.NoError(t, err, "%s: %s", where, out)
			out, err = exec.Command("gofmt", "-l", file).CombinedOutput()
			assert.NoError(t, err, "%s: %s", where, out)
			assert.Empty(t, string(out), "%s is not as gofmt has it", where)
		}
	}
	assert.NotZero(t, programs)
}

// TestReadme builds the program of README.md. Its -check-config must accept the
// haproxy.cfg that README.md shows.
func TestReadme(t *testing.T) {
	dir := t.TempDir()
	agent := filepath.Join(dir, "agent")
	run := func(name string, args ...string) []byte {
		out, err := exec.Command(name, args...).CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
		return out
	}
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, b, 0o644))
		return name
	}
	for _, b := range blocks(t, "../README.md") {
		switch b.what {
		case "program":
			run("go", "build", "-o", agent, write("main.go", []byte(b.text)))
		case "file":
			write(b.arg, []byte(b.text+"\nbackend site\n    mode http\n    server site 127.0.0.1:8081\n"))
		}
	}
	write("spoe.conf", run(agent, "-print-config=spoe"))
	backend := write("agents.cfg", run(agent, "-print-config=backend"))
	t.Chdir(dir) // where haproxy.cfg finds spoe.conf
	run(agent, "-check-config", backend+","+filepath.Join(dir, "haproxy.cfg"))
}
