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
