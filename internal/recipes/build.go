//go:build unix

package recipes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// built has the programs, each built once for all tests of a package.
var built struct {
	mu    sync.Mutex
	dir   string
	tried map[string]error // by package
}

// build builds packages of a module and returns the folder of the programs, which
// are named after their folders.
func build(module, packages string) (dir string, err error) {
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir == "" {
		if built.dir, err = os.MkdirTemp("", "recipes-"); err != nil {
			return "", err
		}
		built.tried = map[string]error{}
	}
	key := filepath.Join(module, packages)
	err, tried := built.tried[key]
	if !tried {
		cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", built.dir+"/", packages)
		cmd.Dir = module
		if out, failed := cmd.CombinedOutput(); failed != nil {
			err = fmt.Errorf("go build %s: %w\n%s", key, failed, out)
		}
		built.tried[key] = err
	}
	return built.dir, err
}

// RemovePrograms removes the programs that tests built. A TestMain calls it at
// its end.
func RemovePrograms() error {
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir == "" {
		return nil
	}
	return os.RemoveAll(built.dir)
}

// Executable returns the path of a program of examples/cookbook.
func Executable(t *testing.T, folder string) string {
	t.Helper()
	dir, err := build(Root(t), "./examples/cookbook/...")
	require.NoError(t, err)
	return filepath.Join(dir, filepath.Base(folder))
}

// Module returns the path of the program of a module of its own, by its folder, such
// as examples/ip-reputation.
func Module(t *testing.T, folder string) string {
	t.Helper()
	dir, err := build(filepath.Join(Root(t), folder), ".")
	require.NoError(t, err)
	return filepath.Join(dir, filepath.Base(folder))
}

// Printed runs a program of examples/cookbook that prints something and ends.
func Printed(t *testing.T, name, dir string, args ...string) string {
	t.Helper()
	return Output(t, Executable(t, name), dir, args...)
}

// Output runs a program that prints something and ends.
func Output(t *testing.T, path, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%s %v: %v\n%s%s", path, args, err, out, exit.Stderr)
	}
	require.NoError(t, err)
	return string(out)
}
