//go:build unix

package command_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first signal ends a command that waits for a file.
func TestFirstSignalEndsReading(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	empty := file(t, "haproxy.cfg", "")
	for _, args := range []string{
		"check --routes PIPE " + empty,
		"decode PIPE",
		"ask 127.0.0.1:1 m a=@PIPE",
		"bench 127.0.0.1:1 --file PIPE",
		"bench 127.0.0.1:1 --recording PIPE",
		"replay PIPE 127.0.0.1:1",
		"tap 127.0.0.1:0 127.0.0.1:1 --routes PIPE",
		"conform 127.0.0.1:1 --tls --ca PIPE",
	} {
		t.Run(args, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "pipe")
			require.NoError(t, syscall.Mkfifo(pipe, 0o600))
			cmd := exec.Command(self, strings.Fields(strings.ReplaceAll(args, "PIPE", pipe))...)
			cmd.Env = append(os.Environ(), asCommand+"=1")
			var said bytes.Buffer
			cmd.Stderr = &said
			require.NoError(t, cmd.Start())
			kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()

			f, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns when the command opens it
			require.NoError(t, err)
			defer f.Close()
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			_ = cmd.Wait() // its status is looked at below
			assert.Equal(t, 1, cmd.ProcessState.ExitCode(), "%v: %s", cmd.ProcessState, &said)
			assert.Contains(t, said.String(), "interrupted while reading")
		})
	}
}
