package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// program builds what people run, once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ip-reputation-")
	if err != nil {
		return "", err
	}
	programDir = dir
	path := filepath.Join(dir, "ip-reputation")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var programDir string

func removeProgram() {
	if programDir != "" {
		os.RemoveAll(programDir)
	}
}

// startProgram is startAgent with the program itself, in a process of its own.
// Ending it sends SIGTERM.
func startProgram(t *testing.T, env []string, args ...string) *agent {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	a := &agent{log: newBuffer(), out: newBuffer(), ended: make(chan int, 1)}
	cmd := exec.Command(path, append([]string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0",
		"-timeout", "5s", "-shutdown-timeout", "2s"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = a.out, a.log
	require.NoError(t, cmd.Start())
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	var done sync.WaitGroup
	done.Go(func() {
		_ = cmd.Wait()
		a.ended <- cmd.ProcessState.ExitCode()
	})
	t.Cleanup(func() {
		stop()
		done.Wait()
		if t.Failed() {
			t.Logf("the agent wrote:\n%s\nand on standard output:\n%s", a.log, a.out)
		}
	})
	a.addr = a.log.wait(t, readyLine)[1]
	return a
}
